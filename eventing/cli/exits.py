"""Says how a command ends: exit codes, and failures with what to do about them."""

import json
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """What the shell sees."""

    OK = 0
    FAILED = 1
    """The task failed or was cancelled, or a check is false."""
    USAGE = 2
    """The command, a manifest or a request is wrong."""
    UNREACHABLE = 3
    """Nothing answers, or it says 5xx or 429."""
    DENIED = 4
    """No or a bad credential, a missing right, or no budget."""
    INTERRUPTED = 130


class Failure(Exception):
    """The command cannot go on: what happened, where, and what to do."""

    def __init__(self, code: Exit, what: str, *, where: str = "", do: str = "") -> None:
        super().__init__(what)
        self.code, self.what, self.where, self.do = code, what, where, do

    def text(self) -> str:
        """Return the lines for people."""
        lines = [f"error: {self.what}", f"  at {self.where}" if self.where else "",
                 f"  {self.do}" if self.do else ""]
        return "\n".join(line for line in lines if line)

    def json(self) -> str:
        """Return the same for programs."""
        return json.dumps({"error": self.what, "where": self.where, "do": self.do,
                           "exit": int(self.code)})


ADVICE = {
    401: "give a key: TOLLGATE_API_KEY, or --data of the runtime that made one",
    402: "raise the limit: tollgate budget set …, or wait until it is free again",
    429: "ask again a little later",
    503: "it may come back: tollgate status, tollgate doctor",
}

LISTS = {"/tasks/": "tollgate task list", "/dead-letters/": "tollgate dead-letters list",
         "/stops/": "tollgate stops"}
"""What lists the things whose path this is part of."""


def of_problem(status: int, problem: dict[str, Any], where: str) -> Failure:
    """Return the failure of an HTTP error with its problem details (RFC 9457)."""
    what = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
    faults = problem.get("errors") or []
    if len(faults) > 1:
        what = f"{len(faults)} faults" + "".join(
            f"\n  {fault.get('path')}: {fault.get('message')}" for fault in faults)
    return Failure(_code(status), what, where=f"{where} ({status})",
                   do=_advice(status, what, where))


def _advice(status: int, what: str, where: str) -> str:
    if status == 403 and "this key" in what:
        return "take a key that may, or ask whoever made this one"
    if status == 404:
        return next((f"list what exists: {command}" for part, command in LISTS.items()
                     if part in where), "")
    return ADVICE.get(status, "")


def _code(status: int) -> Exit:
    if status in (401, 402, 403):
        return Exit.DENIED
    if status == 429 or status >= 500:
        return Exit.UNREACHABLE
    return Exit.USAGE
