"""Decides what an overdue task needs, without I/O."""

from dataclasses import dataclass

from shared.limits import NUDGES_MAX
from shared.tasks.store import Snapshot

SILENT = f"no progress after {NUDGES_MAX} nudges"
LATE = "deadline exceeded"


@dataclass(frozen=True, slots=True)
class Publish:
    """Events that a commit left unpublished go out."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing is left to do for the task."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """What the task waits for is published again, as number `n`; a wake does not count."""

    n: int
    counts: bool


@dataclass(frozen=True, slots=True)
class Fail:
    """The task ends with its partial output."""

    error: str


Verdict = Publish | Forget | Nudge | Fail


def judge(snapshot: Snapshot, now: float) -> Verdict:
    """Return what an overdue task needs; the order of the tests is the order of precedence."""
    state = snapshot.state
    if state.status.final:
        return Publish() if snapshot.outbox else Forget()
    if now >= state.deadline_at:
        return Fail(LATE)
    if snapshot.outbox:
        return Publish()
    if state.wake_at is not None and state.wake_at <= now:
        return Nudge(state.nudges + 1, counts=False)
    if state.nudges >= NUDGES_MAX:
        return Fail(SILENT)
    return Nudge(state.nudges + 1, counts=True)
