import pytest

from functions.agents.definition import Definition
from functions.agents.loop import (
    Answered,
    End,
    Rest,
    Think,
    Toolbox,
    advance,
    conversation,
    fold,
    opened,
    plan,
)
from shared import limits
from shared.contracts import ToolContract
from shared.models.port import Message, ModelReply, ToolCall
from shared.tasks.contract import Status
from shared.usage import Usage
from tests.states import NOW, call, snapshot, state

CALCULATOR = ToolContract(
    name="calculator", version="1.2.0", description="computes", idempotent=True,
    changes_world=False, price_nano=0, timeout_s=10,
    input_schema={"type": "object", "properties": {"expression": {"type": "string"}},
                  "required": ["expression"], "additionalProperties": False},
    output_schema={})
TOOLBOX = Toolbox({"calculator": CALCULATOR})
DEFINITION = Definition(name="researcher", description="d", prompt="You compute.")


def reply(text="", calls=(), **usage):
    return ModelReply(text=text, tool_calls=tuple(calls), usage=Usage(**usage),
                      finish_reason="stop", model="scripted/demo")


def asks(expression="1+1", call_id="m1", name="calculator"):
    return ToolCall(id=call_id, name=name, arguments={"expression": expression})


def test_new_task_thinks_its_first_step():
    assert plan(snapshot(), NOW) == Think(1)


def test_final_task_rests():
    ended = state().ended(Status.COMPLETED, NOW)

    assert plan(snapshot(ended, cancel="late"), NOW + 10**6) == Rest()


def test_cancel_comes_before_everything_else():
    waiting = state(step=1, calls=(call(),))

    assert plan(snapshot(waiting, cancel="enough"), NOW) == End(Status.CANCELLED, "enough")


def test_deadline_ends_a_task_that_still_waits():
    waiting = state(step=1, calls=(call(),), deadline_s=60)

    assert plan(snapshot(waiting), NOW + 60) == End(Status.FAILED, "deadline exceeded")


def test_missing_results_rest_and_the_last_one_thinks():
    waiting = state(step=1, calls=(call(call_id="a"), call(call_id="b")))

    assert plan(snapshot(waiting, results={"a": {}}), NOW) == Rest()
    assert plan(snapshot(waiting, results={"a": {}, "b": {}}), NOW) == Think(2)


def test_max_steps_completes_with_the_best_output():
    done = state(step=3, max_steps=3, calls=(call(),))

    assert plan(snapshot(done, results={"c1": {}}), NOW) == End(
        Status.COMPLETED, "max steps reached")


def test_hop_guard_fails_a_task_whose_events_run_in_circles():
    circling = state(max_steps=2)
    circling = circling.but(hops=circling.hops_max + 1)

    move = plan(snapshot(circling), NOW)

    assert isinstance(move, End)
    assert move.status is Status.FAILED
    assert "loop" in move.error


def test_put_off_task_rests_until_its_time():
    later = state(wake_at=NOW + 5)

    assert plan(snapshot(later), NOW) == Rest()
    assert plan(snapshot(later), NOW + 5) == Think(1)


def test_answer_without_calls_completes_and_counts_tokens():
    after = advance(snapshot(), 1, Answered(reply("42", input_uncached=10, output_text=5), 70),
                    toolbox=TOOLBOX, now=NOW + 1)

    assert (after.status, after.output, after.tokens_used) == (Status.COMPLETED, "42", 15)
    assert (after.cost_nano, after.step, after.ended_at) == (70, 1, NOW + 1)


def test_answer_with_calls_waits_for_each_under_its_step_identity():
    after = advance(snapshot(), 1, Answered(reply(calls=[asks("1"), asks("2", "m2")]), 0),
                    toolbox=TOOLBOX, now=NOW)

    assert after.status is Status.RUNNING
    assert len({c.call_id for c in after.calls}) == 2
    assert [c.version for c in after.calls] == ["1.2.0", "1.2.0"]


def test_step_identity_ignores_the_models_call_id_and_tells_equal_calls_apart():
    first = opened(state(), 1, (asks("1", "x"), asks("1", "y")), TOOLBOX)
    again = opened(state(), 1, (asks("1", "other"), asks("1", "ids")), TOOLBOX)

    assert [c.call_id for c in first] == [c.call_id for c in again]
    assert first[0].call_id != first[1].call_id
    assert first[0].call_id != opened(state(), 2, (asks("1"),), TOOLBOX)[0].call_id


@pytest.mark.parametrize(("asked", "told"), [
    (asks(name="rm"), "there is no tool 'rm'; there are: calculator"),
    (ToolCall("m", "calculator", None, raw="{oops"), "not a JSON object: {oops"),
    (ToolCall("m", "calculator", {}), "expression"),
    (ToolCall("m", "calculator", {"expression": 5}), "expression"),
])
def test_impossible_call_is_refused_with_what_the_model_can_mend(asked, told):
    (made,) = opened(state(), 1, (asked,), TOOLBOX)

    assert told in made.refusal


def test_calls_past_the_maximum_are_refused_not_dropped():
    many = tuple(asks(str(n), f"m{n}") for n in range(limits.TOOL_CALLS_PER_STEP_MAX + 2))

    made = opened(state(), 1, many, TOOLBOX)

    assert len(made) == len(many)
    assert [bool(c.refusal) for c in made[-3:]] == [False, True, True]


def test_answer_that_breaks_its_schema_is_asked_for_again():
    asked = state(output_schema={"type": "object", "required": ["total"]})

    after = advance(snapshot(asked), 1, Answered(reply('{"sum": 1}'), 0),
                    toolbox=TOOLBOX, now=NOW)

    assert after.status is Status.RUNNING
    assert after.resumes == 1
    assert "total" in after.messages[-1].content


def test_conversation_shows_results_in_the_order_of_the_calls():
    asked = state(step=1, calls=(call(call_id="a"), call(call_id="b")), messages=(
        Message("assistant", "", tool_calls=(asks("1", "m-a"), asks("2", "m-b"))),))
    seen = snapshot(asked, results={"b": {"result": 2}, "a": {"error": {
        "code": "failed", "message": "no"}}})

    told = conversation(DEFINITION, seen, [])

    assert [m.role for m in told] == ["system", "user", "assistant", "tool", "tool"]
    assert [m.tool_call_id for m in told[-2:]] == ["m-a", "m-b"]
    assert "failed" in told[-2].content
    assert told[-1].content == "2"


def test_large_result_reaches_the_model_with_a_note_that_it_is_cut():
    asked = state(step=1, calls=(call(call_id="a"),))

    told = conversation(DEFINITION, snapshot(asked, results={"a": {"result": "x" * 50_000}}), [])

    assert len(told[-1].content) < limits.RESULT_CHARS_MAX + 500
    assert "result_folded" in told[-1].content


def test_session_memory_comes_before_the_request():
    told = conversation(DEFINITION, snapshot(), [{"prompt": "before", "output": "was this"}])

    assert [m.content for m in told][1:] == ["before", "was this", "How much?"]


def _size(messages):
    return sum(len(m.content) for m in messages)


def test_context_stays_within_its_size_and_folds_the_oldest_first():
    turns = tuple(m for n in range(5) for m in (
        Message("assistant", f"ask {n}"), Message("tool", f"{n}" * 1000, tool_call_id=f"m{n}")))
    messages = (Message("system", "s"), Message("user", "u"), *turns)

    folded = fold(messages, lambda some: _size(some) <= 2500, fixed=2)

    assert _size(folded) <= 2500
    assert folded[:2] == messages[:2]
    assert folded[-1] == messages[-1]
    assert "folded" in folded[3].content


def test_context_that_still_does_not_fit_loses_whole_turns_with_a_note():
    turns = tuple(m for n in range(5) for m in (
        Message("assistant", f"{n}" * 1000), Message("tool", "r", tool_call_id=f"m{n}")))
    messages = (Message("system", "s"), Message("user", "u"), *turns)

    folded = fold(messages, lambda some: _size(some) <= 2500, fixed=2)

    assert folded[-2:] == messages[-2:]
    assert "earlier turns" in folded[2].content
