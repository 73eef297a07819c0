"""Costs: stores the ledger's events exactly once; sums, timelines and a page go out.

Every figure can be computed again from the events themselves, which are kept (`packing.py`).
"""
