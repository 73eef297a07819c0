"""The seed of what tests leave to chance, and how much they try: `make chaos` sets both."""

import os

SEED = int(os.environ.get("TOLLGATE_CHAOS_SEED", "20261121"))
IS_LONG = "TOLLGATE_CHAOS_SEED" in os.environ


def times(few, many):
    """Return how often to try: `few` among all tests, `many` under `make chaos`."""
    return many if IS_LONG else few
