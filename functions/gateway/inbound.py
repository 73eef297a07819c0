"""Decides what an event from outside becomes, without I/O."""

from typing import Any

from eventing.event import Event
from eventing.types import TaskSubmitted
from shared import limits
from shared.errors import Forbidden, Permanent
from shared.tasks.contract import TaskRequest

OURS = "dev.tollgate."
RESERVED = frozenset({"grant", "tenantid", "taskid", "rootid", "replyto", "hops", "depth", "nudge",
                      "partitionkey", "sessionid", "agent", "tool", "callid", "parentid",
                      "forwarded"})
"""Extensions that only Tollgate sets: they are taken off an event from outside."""


def task_in(event: Event) -> TaskRequest | None:
    """Return the task that an event asks for, or `None` for an event of another's type.

    Raises:
        Forbidden: the type is one that only Tollgate sends.
        ValidationError: the data is no task request.
    """
    if event.type == TaskSubmitted.TYPE:
        return TaskRequest.model_validate(event.json())
    if event.type.startswith(OURS):
        raise Forbidden(f"events of type {event.type} come from Tollgate only; "
                        f"send {TaskSubmitted.TYPE}")
    return None


def stamped(event: Event, tenant: str) -> Event:
    """Return another's event with the tenant of the credential and one more link in its chain.

    Raises:
        Permanent: the chain is too long: a loop.
    """
    chain = event.number("chain") + 1
    if chain > limits.CHAIN_MAX:
        raise Permanent(f"{chain} events and tasks started each other: a loop")
    cleared: dict[str, Any] = dict.fromkeys(RESERVED & set(event.extensions))
    return event.extended(**cleared).extended(tenantid=tenant, chain=chain)
