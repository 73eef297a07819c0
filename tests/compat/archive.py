"""The archive of the previous release's ledger: packs it out of git, unpacks it for a test.

`ledger.zip` is what a process of the ledger needs; `ledger.json` says which commit it is of.
"""

import hashlib
import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

from eventing.local.options import ROOT

HERE = Path(__file__).parent
ARCHIVE, ORIGIN = HERE / "ledger.zip", HERE / "ledger.json"
CONTENT = ("functions/__init__.py", "functions/ledger", ":(glob)eventing/*.py",
           ":(glob)eventing/local/*.py", "shared")
"""What a process of the ledger is made of, as git names files."""


def unpacked(folder):
    """Unpack the previous release below a folder; return its root."""
    with ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


def contents():
    """Return what the archive says of itself: its commit, its files' count, its digest."""
    with ZipFile(ARCHIVE) as archive:
        return {"commit": archive.comment.decode(),  # where `git archive` writes it
                "files": sum(not each.is_dir() for each in archive.infolist()),
                "sha256": hashlib.sha256(ARCHIVE.read_bytes()).hexdigest()}


def pack(revision):
    """Write the archive of a revision, and where it comes from; return that."""
    ARCHIVE.write_bytes(_git("archive", "--format=zip", "-9", revision, "--", *CONTENT))
    found = contents()
    date = _git("log", "-1", "--format=%cI", found["commit"]).decode().strip()
    ORIGIN.write_text(json.dumps({**found, "date": date}, indent=2) + "\n")
    return found["commit"]


def _git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout
