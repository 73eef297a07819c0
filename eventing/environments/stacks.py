"""Which environments there are, and the stacks that each consists of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ORDER = ("platform", "messaging", "apps")
"""Each stack builds on the ones before it."""

BACKEND = re.compile(r'^\s*backend\s+"(\w+)"', re.MULTILINE)


class Failed(Exception):
    """What was asked could not be done; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One Terraform root, with a state of its own."""

    environment: str
    name: str
    root: Path

    @property
    def backend(self) -> str:
        """Return where its configuration keeps the state: `s3`, or `local` when it says nothing."""
        found = (BACKEND.search(text) for text in self._own_files())
        return next((match.group(1) for match in found if match), "local")

    def _own_files(self) -> Iterator[str]:
        return (file.read_text() for file in sorted(self.root.glob("*.tf"))
                if not file.name.endswith("_override.tf"))

    @property
    def state_key(self) -> str:
        """Return the state's name in a bucket."""
        return f"{self.environment}/{self.name}.tfstate"


def stacks_of(environment: str, folder: Path) -> list[Stack]:
    """Return the stacks of an environment below `folder`, in the order they are applied.

    Raises:
        Failed: there is no such environment; the message lists those there are.
    """
    known = environments(folder)
    if environment not in known:
        raise Failed(f"there is no environment {environment!r}: "
                     f"say env=NAME with one of {', '.join(known) or 'none'}")
    roots = ((name, folder / environment / name) for name in ORDER)
    return [Stack(environment, name, root) for name, root in roots if any(root.glob("*.tf"))]


def environments(folder: Path) -> list[str]:
    """Return the names of all environments."""
    return sorted({root.parent.parent.name for name in ORDER
                   for root in folder.glob(f"*/{name}/*.tf")})
