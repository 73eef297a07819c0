"""Shows budgets, and what a budget file changes."""

from collections.abc import Callable
from typing import Any

from eventing.cli import show
from eventing.cli.budget_words import SPANS, amount

SIGNS = {"added": "+", "changed": "~", "removed": "-"}


def show_changes(found: dict[str, Any]) -> None:
    """Print warnings, then a table of what changed, or would."""
    for warning in found["warnings"]:
        show.warning(warning)
    changes = found["changes"]
    if changes:
        show.table("", ("", "tenant", "budget", "per", "before#", "after#"),
                   [_row(change) for change in changes])
    done = "would change" if found["dry_run"] else "changed"
    show.line(f"{len(changes) or 'nothing'} {done}" if changes else f"nothing {done}")


def _row(change: dict[str, Any]) -> tuple[str, ...]:
    name, tenant = change["field"], change["tenant"]
    sign = SIGNS[change["kind"]]
    if tenant is None:
        return sign, "(all)", f"cap {name}", *_cap(change)
    if "|" not in name:
        return sign, tenant, name, "", *(_text(change[side]) for side in ("before", "after"))
    scope, owner, window, unit = name.split("|")
    return (sign, tenant, f"{scope} {owner}", SPANS[window],
            *(_limit(unit, change[side]) for side in ("before", "after")))


def _cap(change: dict[str, Any]) -> tuple[str, str, str]:
    one = change["after"] or change["before"]
    before, after = (amount(one["unit"], side["limit"]) if side else ""
                     for side in (change["before"], change["after"]))
    return SPANS[one["window"]], before, after


def _limit(unit: str, limit: dict[str, Any] | None) -> str:
    if limit is None:
        return ""
    policy = "" if limit["policy"] == "deny" else f", {limit['policy']}"
    return f"{amount(unit, limit['limit'])}{policy}"


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else value or ""


def show_list(found: dict[str, Any], state: Callable[[dict[str, Any]], str]) -> None:
    """Print every limit with its balance."""
    rows = [(f"{one['scope']} {one['id']}", SPANS[one["window"]], *(
        amount(one["unit"], one[column]) for column in ("limit", "posted", "held", "free")),
        state(one)) for one in found["budgets"]]
    show.table(f"{found['tenant']} ({found['zone']})",
               ("budget", "per", "limit#", "posted#", "held#", "free#", "at the limit"), rows)
    if not rows:
        show.line("no budgets: tollgate budget set …, or tollgate budget apply -f FILE")
