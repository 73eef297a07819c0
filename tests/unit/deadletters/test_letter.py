import base64

import pytest

from eventing.event import Event
from eventing.task_events import tool_requested
from functions.deadletters.letter import (
    Alarm,
    AnswerCall,
    FailTask,
    Keep,
    Redrive,
    function_of,
    is_waited_for,
    judge,
    letter_of,
)
from tests.states import NOW, call, snapshot, state

LATE = NOW + 10**6


def dead(code=None, dest="http://calculator.tollgate.svc.cluster.local/", **extensions):
    event = tool_requested(state(step=1), call())
    return event.extended(knativeerrordest=dest, knativeerrorcode=code, **extensions)


def letter(*args, **kwargs):
    return letter_of(dead(*args, **kwargs), "acme", NOW)


def test_same_delivery_gives_the_same_letter_and_a_redriven_one_another():
    assert letter().key == letter().key
    assert letter().key != letter(redrives=1).key
    assert letter().key != letter(dest="http://reader.x/").key


def test_letter_keeps_the_cause_and_the_event_as_it_was_published():
    kept = letter(code="422", knativeerrordata=base64.b64encode(b"no such thing").decode())

    assert (kept.code, kept.cause, kept.destination) == (422, "no such thing", "calculator")
    assert kept.original() == tool_requested(state(step=1), call())


def test_function_that_an_in_memory_broker_does_not_name_is_the_one_of_the_trigger():
    # After a time-out its dead letters say nothing; and it adds attributes of its own.
    timed_out = letter(dest=None, knativearrivaltime="2026-11-21T05:44:53Z", knativebrokerttl=255)

    assert (timed_out.destination, timed_out.code) == ("calculator", None)
    assert timed_out.original() == tool_requested(state(step=1), call())
    assert judge(timed_out, NOW, NOW) == AnswerCall()


@pytest.mark.parametrize("address", [
    "http://calculator.tollgate.svc.cluster.local", "http://calculator.tollgate.svc/",
    "http://calculator/", "calculator"])
def test_function_is_found_in_any_form_of_its_address(address):
    assert function_of(address) == "calculator"


@pytest.mark.parametrize("code", [None, "409", "429", "503"])
def test_transient_failure_is_redriven_three_times_with_growing_waits(code):
    waits = [judge(letter(code=code, redrives=n), NOW, LATE) for n in range(4)]

    assert waits[:3] == [Redrive(NOW + 30), Redrive(NOW + 60), Redrive(NOW + 120)]
    assert waits[3] == AnswerCall()


def test_no_redrive_beyond_the_tasks_deadline():
    assert judge(letter(), NOW, NOW + 20) == AnswerCall()


def test_permanent_failure_of_a_tool_answers_its_call():
    assert judge(letter(code="422"), NOW, LATE) == AnswerCall()


def test_failure_of_somebody_elses_function_is_only_kept():
    assert judge(letter(code="422", dest="http://memory.x/"), NOW, LATE) == Keep()


def test_failure_of_the_tasks_own_agent_fails_the_task():
    deed = judge(letter(code="422", dest="http://researcher.x/"), NOW, LATE)

    assert isinstance(deed, FailTask)
    assert "422" in deed.error


def test_letter_of_a_task_that_is_over_is_only_kept():
    assert judge(letter(), NOW, None) == Keep()


def test_ledgers_events_are_redriven_ten_times_then_somebody_must_look():
    event = Event(id="r1", source="/ledger/acme", type="dev.tollgate.ledger.attributed.v1")
    kept = [letter_of(event.extended(redrives=n, knativeerrordest="http://costs.x/"), "acme", NOW)
            for n in (0, 9, 10)]

    assert [type(judge(one, NOW, None)) for one in kept] == [Redrive, Redrive, Alarm]


def test_result_of_an_earlier_step_is_waited_for_no_more():
    went_on = snapshot(state(step=2, calls=(call(call_id="later"),)))

    assert not is_waited_for(Event(id="1", source="/x", type="dev.tollgate.tool.completed.v1",
                                   data=b'{"call_id": "c1"}'), went_on)
    assert not is_waited_for(Event(id="1", source="/x", type="dev.tollgate.task.submitted.v1"),
                             went_on)
