"""What an error of a tool means, and what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """One kind of error."""

    seen: str
    """A regular expression that is searched in the error's text."""
    todo: str
    """What to do; `\\g<name>` stands for a group of `seen`."""
