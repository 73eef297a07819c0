"""Packs a release anew: `make previous-release REV=…`, once what it names is what people run."""

import subprocess
import sys

from tests.compat.archive import ARCHIVE, pack

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which revision people run: make previous-release REV=<commit or tag>")
    try:
        commit = pack(sys.argv[1])
    except subprocess.CalledProcessError as error:
        sys.exit(f"{sys.argv[1]}: {error.stderr.decode().strip()}")
    print(f"{ARCHIVE.name} is the ledger of {commit}, {ARCHIVE.stat().st_size} bytes")  # noqa: T201
