"""Lets one runtime at a time work on a data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import Permanent


class FolderInUse(Permanent):
    """Another runtime runs on the data folder."""

    title = "Data folder in use"


@contextmanager
def sole_owner(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with this process however it ends.

    Raises:
        FolderInUse: another living runtime holds it.
    """
    descriptor = os.open(data_dir / "runtime.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"{data_dir} is in use by another runtime: stop it, or choose "
                              "another folder with --data") from None
        yield
    finally:
        os.close(descriptor)
