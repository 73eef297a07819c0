"""Holds a local state's lock as another Terraform would."""

import fcntl
import json
from contextlib import contextmanager

HOLDER = {"ID": "0d5e9f0a-4d5b-45f6-a7a5-0f0e0a0b0c0d", "Operation": "OperationTypeApply",
          "Info": "", "Who": "ada@laptop", "Version": "1.11.4",
          "Created": "2026-01-01T00:00:00Z", "Path": "terraform.tfstate"}


@contextmanager
def held(state, information):
    """Lock the file for as long as the block lasts."""
    information.write_text(json.dumps(HOLDER))
    with state.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield
    information.unlink(missing_ok=True)
