"""What to do about an error that Terraform or a provider reports."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    r"""A pattern of an error's text, and what to do; `\g<name>` in it repeats what was found."""

    seen: str
    todo: str

    def answer(self, text: str) -> str | None:
        """Return what to do about `text`, None when the pattern is not in it."""
        found = re.search(self.seen, text, re.IGNORECASE | re.DOTALL)
        return found.expand(self.todo) if found else None


def first_answer(hints: Iterable[Hint], text: str) -> str | None:
    """Return what the first fitting hint says about `text`."""
    answers = (hint.answer(text) for hint in hints)
    return next((answer for answer in answers if answer), None)
