"""Decides what to ask after a denial, and how long to wait for budget, without I/O (ADR 0025)."""

from collections.abc import Sequence

from functions.agents.attempt import Attempt
from shared import limits
from shared.amounts import amount
from shared.metering import Denied
from shared.tasks.contract import Status

WINDOW_SLACK_S = 1.0
"""Clocks differ: a look just before the window's end would only be denied again."""


def less(attempt: Attempt, denied: Denied, cheaper: Sequence[str], cap: int) -> Attempt | None:
    """Return a question that needs less: a smaller cap, then the next cheaper model.

    `None` if there is none. A cheaper model gets the full `cap` again; it helps against a limit in
    money alone, or one that only downgrades. What is blocked or stopped refuses every amount.
    """
    if denied.reason in ("blocked", "stopped"):
        return None
    fits = denied.output_tokens_fitting if denied.policy != "downgrade" else None
    if fits is not None and limits.OUTPUT_TOKENS_MIN <= fits < attempt.output_tokens_max:
        return attempt.capped(fits, f"budget: {fits} output tokens fit {denied.account}")
    rest = cheaper_than(attempt.model, cheaper)
    if rest and (denied.unit == "usd" or denied.policy == "downgrade"):
        why = f"budget: {denied.account} has {amount(denied.unit, denied.have)} left"
        return attempt.cheaper(rest[0], cap, why)
    return None


def cheaper_than(model: str, cheaper: Sequence[str]) -> Sequence[str]:
    """Return the cheaper models after this one; all of them for a model outside the list."""
    return cheaper[cheaper.index(model) + 1:] if model in cheaper else cheaper


def spent(denied: Denied) -> str:
    """Return the error of a task that ends here, or the reason of its pause."""
    if denied.reason == "stopped":
        return denied.detail
    what = f"{denied.budget} budget exceeded"
    if denied.account.startswith("task|") and denied.unit == "tok":
        return what
    return f"{what}: {denied.shortage}"


def status(denied: Denied) -> Status:
    """Return how a task ends at a denial: what is spent is done, what is stopped is not."""
    return Status.FAILED if denied.reason == "stopped" else Status.COMPLETED


def pause_s(denied: Denied, wakes: int, paused_s: float, now: float) -> float | None:
    """Return how long to wait for budget; `None` if the limit does not pause, or not any longer.

    Until the window ends, and in growing steps at most: a budget that is changed wakes its tasks.
    """
    if denied.policy != "pause" or denied.account.startswith("task|"):
        return None
    wait_s = look_s(wakes)
    if denied.window_ends is not None:
        wait_s = min(wait_s, max(denied.window_ends - now, 0) + WINDOW_SLACK_S)
    return wait_s if paused_s + wait_s <= limits.PAUSE_MAX_S else None


def look_s(wakes: int) -> float:
    """Return after what time a paused task looks again; longer each time."""
    wait_s: float = limits.PAUSE_LOOK_S * 2**min(wakes, 8)
    return min(wait_s, limits.PAUSE_LOOK_MAX_S)
