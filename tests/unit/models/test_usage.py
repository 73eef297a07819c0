"""What providers count, from their documented formats: golden fixtures in `usage/`.

Each says the whole exchange, streamed or not, and what must come out of it in disjoint classes;
`null` where nobody counted and an estimate stands in.
"""

import json
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.metering.permit import issue
from shared.models.anthropic import Anthropic
from shared.models.counting import chat_usage, messages_usage, responses_usage
from shared.models.errors import FREE, ProviderUnknown
from shared.models.openai import OpenAI
from shared.models.port import Message, ModelRequest, ToolSpec
from shared.models.responses import Responses
from shared.usage import INPUT_CLASSES, OUTPUT_CLASSES

pytestmark = pytest.mark.anyio
FIXTURES = {file.stem: json.loads(file.read_text())
            for file in sorted((Path(__file__).parent / "usage").glob("*.json"))}
ADAPTERS = {"openai": OpenAI, "openai-responses": Responses, "anthropic": Anthropic}
each = pytest.mark.parametrize("name", FIXTURES)
streamed = pytest.mark.parametrize("name", [n for n, f in FIXTURES.items() if "stream" in f])


async def answered(provider, content, kind):
    """Return what an adapter makes of a server's answer."""
    def serve(request):
        return httpx2.Response(200, content=content, headers={"content-type": kind})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(serve)) as client:
        model = ADAPTERS[provider]("http://provider.test/v1", SecretStr("k"), client)
        return await model.complete(ModelRequest(
            model=f"{provider}/asked", messages=(Message("user", "Hi."),),
            tools=(ToolSpec("calculate", "adds", {"type": "object"}),)), issue("r1"))


async def exchanged(fixture, chunks=None):
    if "body" in fixture:
        return await answered(fixture["provider"], json.dumps(fixture["body"]),
                              "application/json")
    events = fixture["stream"][:chunks]
    lines = "".join(f"event: {e.get('type', 'chunk')}\ndata: {json.dumps(e)}\n\n" for e in events)
    return await answered(fixture["provider"], lines, "text/event-stream")


@each
async def test_usage_is_what_the_provider_counted(name):
    fixture, expected = FIXTURES[name], FIXTURES[name]["expect"]

    reply = await exchanged(fixture)

    if expected["usage"] is None:
        assert reply.usage.basis == "estimated"
        assert (reply.usage.input_uncached, reply.usage.output_text) == (11, 3)
        return
    classes = dict(expected["usage"])
    assert reply.usage.requests == classes.pop("requests", {})
    assert {c: n for c, n in reply.usage.classes.items() if n} == {
        c: n for c, n in classes.items() if n}
    assert reply.usage.basis == "provider"


@each
async def test_answer_tier_and_end_are_read_from_either_form(name):
    fixture = FIXTURES[name]
    expected = fixture["expect"]

    reply = await exchanged(fixture)

    calls = expected.get("calls", 0)
    assert len(reply.tool_calls) == calls
    assert reply.text == "Hello there." or calls
    assert reply.finish_reason == expected.get("finish", "stop")
    assert all(call.arguments == {"x": 1} for call in reply.tool_calls)
    assert reply.model.split("/")[0] == fixture["provider"].removesuffix("-responses")
    if "tier" in expected:
        assert reply.service_tier == expected["tier"]


@streamed
async def test_stream_aborted_at_any_chunk_is_never_billed_as_nothing(name):
    fixture = FIXTURES[name]

    for chunks in range(len(fixture["stream"])):
        reply = await outcome(fixture, chunks)
        if isinstance(reply, ProviderUnknown):
            assert not isinstance(reply, FREE)  # resolved by its holder: forfeited, not refunded
        else:  # the answer was whole, only its count was cut off
            assert reply.text == "Hello there." or reply.tool_calls
            assert reply.usage.basis == "provider" or reply.usage.total > 0


async def outcome(fixture, chunks):
    try:
        return await exchanged(fixture, chunks)
    except ProviderUnknown as error:
        return error


@pytest.mark.parametrize(("provider", "event"), [
    ("openai", {"choices": {"secret": 1}}), ("openai", "secret words"),
    ("openai-responses", {"item": "secret", "delta": {"secret": 1}}),
    ("openai-responses", {"type": "response.failed", "response": {
        "output": [{"text": "secret"}], "error": {"code": "server_error"}}}),
    ("anthropic", {"delta": "secret"}), ("anthropic", ["secret"])])
async def test_error_about_a_stream_never_says_what_a_model_said(provider, event):
    with pytest.raises(ProviderUnknown) as told:
        await answered(provider, f"data: {json.dumps(event)}\n\n", "text/event-stream")

    assert "secret" not in str(told.value)


COUNTS = st.one_of(
    st.integers(-5, 10**9), st.none(), st.text(max_size=2), st.floats(), st.booleans())
PARTS = st.one_of(COUNTS, st.dictionaries(st.sampled_from((
    "cached_tokens", "audio_tokens", "reasoning_tokens", "cache_write_tokens", "image_tokens",
    "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "web_search_requests",
    "thinking_tokens")), COUNTS))


def usages(*names, parts=()):
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, COUNTS)
                                 | dict.fromkeys(parts, PARTS))


@given(found=usages("prompt_tokens", "completion_tokens", parts=(
    "prompt_tokens_details", "completion_tokens_details")))
def test_classes_of_chat_add_up_to_its_totals_whatever_it_says(found):
    usage = chat_usage(found)

    if usage is not None:
        assert usage.input_total == found["prompt_tokens"]
        assert usage.output_total == found["completion_tokens"]


@given(found=usages("input_tokens", "output_tokens", parts=(
    "input_tokens_details", "output_tokens_details")))
def test_classes_of_responses_add_up_to_its_totals_whatever_it_says(found):
    usage = responses_usage(found)

    if usage is not None:
        assert usage.input_total == found["input_tokens"]
        assert usage.output_total == found["output_tokens"]


@given(found=usages(
    "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
    parts=("cache_creation", "server_tool_use", "output_tokens_details")))
def test_classes_of_messages_are_never_below_what_was_said(found):
    usage = messages_usage(found)

    if usage is not None:
        assert usage.input_uncached == found["input_tokens"]
        assert usage.output_total == found["output_tokens"]
        assert all(n >= 0 for n in usage.classes.values())


def test_every_class_and_every_provider_is_in_a_fixture():
    said = {c for f in FIXTURES.values() for c, n in (f["expect"]["usage"] or {}).items() if n}

    assert said == {*INPUT_CLASSES, *OUTPUT_CLASSES, "requests"}
    assert {f["provider"] for f in FIXTURES.values()} == set(ADAPTERS)
