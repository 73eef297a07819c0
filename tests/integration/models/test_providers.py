"""Both providers' adapters against a real server that misbehaves in every known way."""

import pytest
from pydantic import SecretStr

from shared.metering.permit import issue
from shared.models.anthropic import Anthropic
from shared.models.errors import (
    FREE,
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
)
from shared.models.openai import OpenAI
from shared.models.port import Message, ModelRequest, ToolCall, ToolSpec

pytestmark = pytest.mark.anyio
PERMIT = issue("r1")
TOOL = ToolSpec("calculator", "adds", {"type": "object"})
CALL = ToolCall("c1", "calculator", {"x": 1}, '{"x":1}')
MESSAGES = (Message("system", "You are."), Message("user", "Add."),
            Message("assistant", "", tool_calls=(CALL,)),
            Message("tool", "2", tool_call_id="c1"))

OPENAI = (
    {"model": "gpt-x-2026", "service_tier": "default", "choices": [
        {"index": 0, "delta": {"role": "assistant", "content": "Hel"}}]},
    {"model": "gpt-x-2026", "choices": [{"index": 0, "delta": {"content": "lo"}}]},
    {"model": "gpt-x-2026", "choices": [{"index": 0, "delta": {"tool_calls": [
        {"index": 0, "id": "t1", "function": {"name": "calculator", "arguments": '{"a":'}}]}}]},
    {"model": "gpt-x-2026", "choices": [{"index": 0, "delta": {"tool_calls": [
        {"index": 0, "function": {"arguments": " 1}"}}]}}]},
    {"model": "gpt-x-2026", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    {"model": "gpt-x-2026", "choices": [], "usage": {
        "prompt_tokens": 100, "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 20}}},
    b"[DONE]",
)
ANTHROPIC = (
    {"type": "message_start", "message": {"model": "claude-x-2026", "usage": {
        "input_tokens": 70, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 12,
        "cache_creation": {"ephemeral_1h_input_tokens": 5}, "output_tokens": 1,
        "service_tier": "standard"}}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {
        "type": "tool_use", "id": "t1", "name": "calculator", "input": {}}},
    {"type": "content_block_delta", "index": 1, "delta": {
        "type": "input_json_delta", "partial_json": '{"a": 1}'}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {
        "output_tokens": 50}},
    {"type": "message_stop"},
)
ADAPTERS = {"openai": (OpenAI, OPENAI), "anthropic": (Anthropic, ANTHROPIC)}


@pytest.fixture(params=sorted(ADAPTERS))
def case(request, provider, client):
    """A provider's adapter, a good stream of it, and the server to spoil."""
    adapter, stream = ADAPTERS[request.param]
    provider.stream(*stream)
    return request.param, adapter(provider.url, SecretStr("secret"), client), stream


def asked(provider_name, **changed):
    return ModelRequest(**{
        "model": f"{provider_name}/asked", "messages": MESSAGES, "tools": (TOOL,),
        "output_tokens_max": 77, "timeout_s": 5.0, "metadata": {"trace_id": "abc"}} | changed)


async def test_a_good_stream_is_put_together(case):
    name, model, _ = case
    pieces = []

    async def keep(piece):
        pieces.append(piece)

    reply = await model.complete(asked(name), PERMIT, keep)

    assert (reply.text, pieces) == ("Hello", ["Hel", "lo"])
    (call,) = reply.tool_calls
    assert (call.id, call.name, call.arguments) == ("t1", "calculator", {"a": 1})
    assert reply.finish_reason == "tool_calls"


async def test_usage_comes_in_disjoint_classes(case):
    name, model, _ = case

    usage = (await model.complete(asked(name), PERMIT)).usage

    assert (usage.input_uncached, usage.cache_read) == (70, 30)
    assert usage.output_total == 50
    assert usage.basis == "provider"
    if name == "openai":
        assert (usage.input_total, usage.reasoning) == (100, 20)
    else:
        assert (usage.cache_write_5m, usage.cache_write_1h) == (7, 5)


async def test_the_model_that_answered_is_named(case):
    name, model, _ = case

    assert (await model.complete(asked(name), PERMIT)).model.endswith("-x-2026")


async def test_the_reserved_cap_and_the_trace_are_sent(case, provider):
    name, model, _ = case

    await model.complete(asked(name), PERMIT)

    head, body = provider.requests[0]
    assert body["max_tokens"] == 77
    assert "abc" in head or body["metadata"] == {"user_id": "abc"}
    assert "secret" in head
    assert body["stream"] is True


@pytest.mark.parametrize(("status", "error", "is_free"), [
    (400, ProviderRefused, True), (401, ProviderRefused, True), (404, ProviderRefused, True),
    (429, ProviderBusy, True), (408, ProviderUnknown, False), (500, ProviderUnknown, False),
    (502, ProviderUnknown, False), (503, ProviderUnknown, False), (302, ProviderUnknown, False)])
async def test_a_status_says_whether_the_call_was_free(case, provider, status, error, is_free):
    name, model, _ = case
    provider.status, provider.body = status, b'{"error": {"message": "no"}}'

    with pytest.raises(error) as caught:
        await model.complete(asked(name), PERMIT)

    assert isinstance(caught.value, FREE) is is_free


@pytest.mark.parametrize("garbage", [b"garbage", b"[1]", b"{}", b'{"choices": 5}',
                                     b'{"error": {"message": "overloaded"}}'])
async def test_garbage_is_an_unknown_outcome(case, provider, garbage):
    name, model, _ = case
    provider.stream(garbage)

    with pytest.raises(ProviderUnknown):
        await model.complete(asked(name), PERMIT)


async def test_a_page_of_html_is_an_unknown_outcome(case, provider):
    name, model, _ = case
    provider.body = b"<html><body>Login</body></html>"

    with pytest.raises(ProviderUnknown):
        await model.complete(asked(name), PERMIT)


@pytest.mark.parametrize("is_cut", [True, False])
async def test_half_a_stream_is_an_unknown_outcome(case, provider, is_cut):
    name, model, stream = case
    provider.stream(*stream[:3])
    provider.is_cut = is_cut

    with pytest.raises(ProviderUnknown):
        await model.complete(asked(name), PERMIT)


async def test_a_silent_provider_is_an_unknown_outcome(case, provider):
    name, model, _ = case
    provider.is_silent = True

    with pytest.raises(ProviderUnknown, match="within"):
        await model.complete(asked(name, timeout_s=0.2), PERMIT)


async def test_a_refused_connection_is_free(case, provider):
    name, model, _ = case
    await provider.stop()

    with pytest.raises(ProviderUnavailable) as caught:
        await model.complete(asked(name), PERMIT)

    assert isinstance(caught.value, FREE)


async def test_a_stream_without_usage_is_estimated_never_zero(case, provider):
    name, model, stream = case
    provider.stream(*map(without_usage, stream))

    usage = (await model.complete(asked(name), PERMIT)).usage

    assert usage.basis == "estimated"
    assert usage.input_uncached > 0
    assert usage.output_text > 0


async def test_arguments_that_are_no_json_are_kept_raw(provider, client):
    provider.stream(
        {"choices": [{"delta": {"tool_calls": [
            {"index": 0, "id": "t1", "function": {"name": "f", "arguments": "{oops"}}]}}]},
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    model = OpenAI(provider.url, SecretStr(""), client)

    (call,) = (await model.complete(asked("openai"), PERMIT)).tool_calls

    assert (call.arguments, call.raw) == (None, "{oops")


async def test_without_a_key_no_authorization_is_sent(provider, client):
    provider.stream(*OPENAI)
    await OpenAI(provider.url, SecretStr(""), client).complete(asked("openai"), PERMIT)

    assert "authorization" not in provider.requests[0][0]


async def test_anthropic_turns_alternate_and_carry_results(provider, client):
    provider.stream(*ANTHROPIC)
    model = Anthropic(provider.url, SecretStr("k"), client)
    await model.complete(asked("anthropic", messages=(*MESSAGES, Message("user", "note"))), PERMIT)

    body = provider.requests[0][1]
    assert body["system"] == "You are."
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    result, note = body["messages"][2]["content"]
    assert (result["tool_use_id"], note["text"]) == ("c1", "note")


async def test_ready_asks_without_tokens(case, provider):
    _, model, _ = case

    await model.ready()

    assert provider.requests[0][0].startswith("get /v1/models")


@pytest.mark.parametrize("status", [401, 503])
async def test_a_provider_that_refuses_the_key_is_not_ready(case, provider, status):
    _, model, _ = case
    provider.status = status

    with pytest.raises(ProviderUnavailable):
        await model.ready()


def without_usage(event):
    if not isinstance(event, dict):
        return event
    message = {k: v for k, v in event.get("message", {}).items() if k != "usage"}
    rest = {k: v for k, v in event.items() if k not in ("usage", "message")}
    return {**rest, "message": message}
