import json

import pytest

from shared.metering.permit import issue
from shared.models.errors import (
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
)
from shared.models.port import Message, ModelRequest, ToolSpec
from shared.models.script import BadScript, Script
from shared.models.scripted import Scripted

pytestmark = pytest.mark.anyio
PERMIT = issue("r1")


async def no_pause(_):
    return None


def model(*scenes):
    return Scripted(Script.model_validate({"scenes": list(scenes)}), no_pause)


def scene(*turns, when=""):
    return {"when": when, "turns": list(turns)}


def request(*messages, prompt="go", cap=100, name="default"):
    head = (Message("system", "You are."), Message("user", prompt))
    return ModelRequest(model=f"scripted/{name}", messages=(*head, *messages),
                        output_tokens_max=cap)


def exchange(reply, *results):
    said = Message("assistant", reply.text, tool_calls=reply.tool_calls)
    answers = (Message("tool", json.dumps(result), tool_call_id=call.id)
               for call, result in zip(reply.tool_calls, results, strict=True))
    return (said, *answers)


CALLS = {"calls": {"a": {"tool": "t", "arguments": {"x": "{{ prompt }}"}},
                   "b": {"tool": "t", "arguments": {"n": 1}}}}


async def test_the_packaged_script_answers_any_prompt():
    reply = await Scripted(Script.read(), no_pause).complete(request(prompt="Hello there"), PERMIT)

    assert "11 characters" in reply.text
    assert "TOLLGATE_MODEL" in reply.text
    assert reply.finish_reason == "stop"


async def test_the_packaged_script_does_sums_with_the_calculator():
    played = Scripted(Script.read(), no_pause)
    first = await played.complete(request(prompt="Please calculate 2+3"), PERMIT)
    (call,) = first.tool_calls
    assert (call.name, call.arguments) == ("calculator", {"expressions": {"answer": "2+3"}})

    turns = exchange(first, {"answer": {"exact": "5", "rounded": "5.00"}})
    second = await played.complete(request(*turns, prompt="Please calculate 2+3"), PERMIT)

    assert second.text == "The answer is 5."


async def test_the_same_conversation_gets_the_same_answer():
    played = model(scene(CALLS))

    assert await played.complete(request(), PERMIT) == await played.complete(request(), PERMIT)


async def test_turns_follow_the_conversation_and_see_results_by_name():
    played = model(scene(CALLS, {"say": "{{ results.a.v + results.b.v }}"}))
    first = await played.complete(request(), PERMIT)

    second = await played.complete(request(*exchange(first, {"v": 1}, {"v": 2})), PERMIT)

    assert second.text == "3"


async def test_a_folded_conversation_stays_at_its_turn():
    played = model(scene(CALLS, CALLS, {"say": "done"}))
    first = await played.complete(request(), PERMIT)
    turns = exchange(first, 1, 2)
    second = await played.complete(request(*turns), PERMIT)
    note = Message("user", "[1 earlier turns of this task were folded]")

    third = await played.complete(request(note, *exchange(second, 1, 2)), PERMIT)

    assert third.text == "done"


async def test_a_name_called_in_two_turns_has_both_results():
    played = model(scene(CALLS, CALLS, {"say": "{{ results.a | join('+') }}"}))
    turns = ()
    for _ in range(2):
        turns = (*turns, *exchange(await played.complete(request(*turns), PERMIT), 1, 2))

    assert (await played.complete(request(*turns), PERMIT)).text == "1+1"


async def test_earlier_tasks_of_the_session_are_no_turns():
    played = model(scene({"say": "first of {{ prompt }}"}))
    history = (Message("user", "old"), Message("assistant", "old answer"))
    asked = ModelRequest(model="scripted/default",
                         messages=(Message("system", "s"), *history, Message("user", "new")))

    assert (await played.complete(asked, PERMIT)).text == "first of new"


async def test_arguments_may_be_one_template_of_yaml():
    played = model(scene({"calls": {"a": {"tool": "t", "arguments": (
        "{% for n in [1, 2] %}\nk{{ n }}: '{{ n }}'\n{% endfor %}")}}}))

    (call,) = (await played.complete(request(), PERMIT)).tool_calls

    assert call.arguments == {"k1": "1", "k2": "2"}


async def test_a_tools_error_is_told_in_the_answer():
    played = model(scene(CALLS, {"say": "{{ results.a.sum }}"}))
    first = await played.complete(request(), PERMIT)

    second = await played.complete(request(*exchange(
        first, {"error": "failed", "message": "no such file"}, 2)), PERMIT)

    assert "a: no such file" in second.text


@pytest.mark.parametrize("say", ["{{ results.nothing }}", "{{ 1 / 0 }}", "{% if %}",
                                 "{{ prompt.__class__.__mro__ }}"])
async def test_a_wrong_script_is_refused(say):
    with pytest.raises(ProviderRefused):
        await model(scene({"say": say})).complete(request(), PERMIT)


@pytest.mark.parametrize(("failure", "error"), [
    ("refused", ProviderRefused), ("busy", ProviderBusy), ("unavailable", ProviderUnavailable),
    ("server_error", ProviderUnknown), ("garbage", ProviderUnknown), ("half", ProviderUnknown)])
async def test_failures_are_those_of_providers(failure, error):
    with pytest.raises(error):
        await model(scene({"say": "text", "fail": failure})).complete(request(), PERMIT)


async def test_a_failure_may_hit_one_model_only():
    played = model(scene({"say": "fine", "fail": {"flaky": "busy"}}))
    with pytest.raises(ProviderBusy):
        await played.complete(request(name="flaky"), PERMIT)

    assert (await played.complete(request(), PERMIT)).text == "fine"


async def test_another_model_than_asked_may_answer():
    reply = await model(scene({"say": "x", "fail": "other_model"})).complete(request(), PERMIT)

    assert reply.model == "scripted/another"


async def test_a_longer_delay_than_the_timeout_is_unknown():
    with pytest.raises(ProviderUnknown):
        await model(scene({"say": "x", "delay_s": 99})).complete(request(), PERMIT)


async def test_reserved_usage_spends_exactly_what_was_reserved():
    played, asked = model(scene({"say": "x", "usage": "reserved"})), request(cap=321)

    usage = (await played.complete(asked, PERMIT)).usage

    assert usage.input_total == played.input_tokens_max(asked)
    assert usage.output_total == 321


async def test_usage_never_passes_its_bounds():
    played, asked = model(scene({"say": "word " * 400})), request(cap=7)

    usage = (await played.complete(asked, PERMIT)).usage

    assert usage.input_total <= played.input_tokens_max(asked)
    assert usage.output_total <= 7


async def test_tools_count_in_the_bound():
    played = model(scene({"say": "x"}))
    plain, spec = request(), ToolSpec("t", "does", {"type": "object"})
    tooled = ModelRequest(model=plain.model, messages=plain.messages, tools=(spec,))

    assert played.input_tokens_max(tooled) > played.input_tokens_max(plain)


async def test_text_is_streamed_in_pieces():
    pieces = []

    async def keep(piece):
        pieces.append(piece)

    reply = await model(scene({"say": "word " * 30})).complete(request(), PERMIT, keep)

    assert len(pieces) > 1
    assert "".join(pieces) == reply.text


def test_own_scenes_come_before_the_packaged_ones(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("scenes: [{when: hello, turns: [{say: mine}]}]")
    script = Script.read(str(path))

    assert script.scene("hello").turns[0].say == "mine"
    assert script.scene("calculate 1").turns[0].calls


@pytest.mark.parametrize("text", ["scenes: 1", "scenes: [{when: '(', turns: [{say: x}]}]",
                                  "scenes: [{when: x, turns: [{sya: x}]}]", ": ["])
def test_a_faulty_file_is_named(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)

    with pytest.raises(BadScript, match=r"bad\.yaml"):
        Script.read(str(path))


def test_a_missing_file_is_named():
    with pytest.raises(BadScript, match="nowhere"):
        Script.read("/nowhere.yaml")


