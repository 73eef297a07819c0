import pytest
from pydantic import ValidationError

from eventing.event import Event
from functions.gateway.inbound import stamped, task_in
from shared.errors import Forbidden, Permanent

SUBMITTED = "dev.tollgate.task.submitted.v1"


def event(type_=SUBMITTED, data=b'{"agent": "researcher", "prompt": "hi"}', **extensions):
    return Event(id="1", source="/shop", type=type_, data=data, extensions=extensions)


def test_event_with_agent_and_prompt_is_a_task():
    assert task_in(event()).agent == "researcher"


def test_event_of_anothers_type_is_no_task():
    assert task_in(event("com.example.order")) is None


@pytest.mark.parametrize("type_", ["dev.tollgate.tool.completed.v1",
                                   "dev.tollgate.ledger.attributed.v1"])
def test_types_that_only_tollgate_sends_are_forbidden(type_):
    with pytest.raises(Forbidden, match=SUBMITTED):
        task_in(event(type_))


def test_task_with_a_tenant_in_its_body_is_refused():
    with pytest.raises(ValidationError, match="tenant"):
        task_in(event(data=b'{"agent": "researcher", "prompt": "hi", "tenant": "other"}'))


def test_tenant_comes_from_the_credential_whatever_the_event_says():
    sent = event("com.example.order", tenantid="other", grant="forged", colour="red")

    made = stamped(sent, "acme")

    assert made.get("tenantid") == "acme"
    assert made.get("grant") is None
    assert made.get("colour") == "red"


def test_events_that_start_each_other_for_ever_are_refused():
    assert stamped(event("com.example.order", chain="3"), "acme").get("chain") == "4"
    with pytest.raises(Permanent, match="loop"):
        stamped(event("com.example.order", chain="16"), "acme")
