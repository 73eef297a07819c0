"""Events that nobody could handle come to the function that keeps them."""

import uuid

import pytest

from tests.cluster.system import replicas
from tests.cluster.test_scaling import at_zero
from tests.system import until

pytestmark = pytest.mark.anyio

LATE_S = 120.0


async def published(system, event_type, body=b"{}", **attributes):
    """Publish an event to the Broker as a stranger would; return its id."""
    event = str(uuid.uuid4())
    named = {"specversion": "1.0", "type": event_type, "source": "/stranger", "id": event}
    headers = {f"ce-{name}": value for name, value in {**named, **attributes}.items()}
    answer = await system.http.post(system.broker, content=body, headers={
        **headers, "content-type": "application/json"})
    assert answer.status_code == 202, answer.text
    return event


async def letter_of(tenant, event):
    async def kept():
        return [one for one in await tenant.letters() if one["event_id"] == event]
    (letter,) = await until(kept, timeout_s=LATE_S, what="the letter is kept")
    return letter


async def test_forged_event_becomes_a_dead_letter_that_names_function_and_code(system):
    tenant = system.tenant()

    event = await published(system, "dev.tollgate.tool.requested.v1", tool="calculator",
                            tenantid=tenant.name, grant="forged")
    letter = await letter_of(tenant, event)

    assert (letter["destination"], letter["code"]) == ("calculator", 401)
    assert "grant" in letter["cause"]
    assert (await tenant.summary())["reservations"] == 0


async def test_event_of_a_foreign_type_is_kept_as_one_that_nobody_takes(system):
    tenant = system.tenant()

    event = await published(system, "com.example.nobody.wants.it")
    letter = await letter_of(tenant, event)

    assert letter["destination"] == "nobody"


async def test_filter_keeps_events_for_others_away(system):
    tenant = system.tenant()
    await at_zero("reader")

    event = await published(system, "dev.tollgate.tool.requested.v1", tool="calculator")

    await letter_of(tenant, event)
    assert await replicas("reader") == 0
