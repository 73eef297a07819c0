"""The offline model: plays a script, deterministically, without a key or a network."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from shared.ids import canonical
from shared.metering import Permit
from shared.models.errors import (
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
)
from shared.models.port import Message, ModelReply, ModelRequest, OnToken, ToolCall
from shared.models.script import BadScript, Script, Stage, Turn
from shared.models.tokens import estimate, estimated
from shared.usage import Usage

PIECE_CHARS = 24
"""How much text one piece of the stream has."""

Pause = Callable[[float], Awaitable[None]]


class Scripted:
    """Plays scenes; which turn it is follows from the conversation alone."""

    def __init__(self, script: Script, pause: Pause = asyncio.sleep) -> None:
        self._script = script
        self._pause = pause

    async def complete(self, request: ModelRequest, permit: Permit,
                       on_token: OnToken | None = None) -> ModelReply:
        """Return what the script says, after its delay.

        Raises:
            ProviderRefused: the script itself is wrong, or says so.
            ProviderBusy, ProviderUnavailable, ProviderUnknown: the script says so.
        """
        prompt, said = _prompt(request.messages)
        index = _turn_index(said)
        turn = self._script.scene(prompt).turn(index)
        failure = turn.failure(request.name)
        if turn.delay_s > request.timeout_s:
            await self._pause(request.timeout_s)
            raise ProviderUnknown(f"no answer within {request.timeout_s:g} s")
        await self._pause(turn.delay_s)
        _refuse(failure)
        text, calls = _played(turn, Stage(prompt, _results(said), request.model), said, index)
        await _stream(text[:len(text) // 2] if failure == "half" else text, on_token)
        if failure == "half":
            raise ProviderUnknown("the stream ended before the answer did")
        return _reply(request, turn, text, calls)

    async def ready(self) -> None:
        """Return at once: there is nobody to reach."""

    def input_tokens_max(self, request: ModelRequest) -> int:
        """Return the very estimate that `complete` reports."""
        return estimated(request)


def _prompt(messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """Return the request that the conversation is about, and what was said since.

    A note of the host's follows another user message or a tool result; a request does not.
    """
    for at in range(len(messages) - 1, -1, -1):
        before = messages[at - 1] if at else None
        opens = before is None or before.role == "system" or (
            before.role == "assistant" and not before.tool_calls)
        if messages[at].role == "user" and opens:
            return messages[at].content, messages[at + 1:]
    raise ProviderRefused("the conversation has no user message")


def _turn_index(said: Iterable[Message]) -> int:
    """Return the turn to play: one past the newest call's, whose id says which turn asked.

    Counting answers would be wrong when the oldest were folded away.
    """
    turns = [int(call.id.rpartition("-")[2]) for message in said for call in message.tool_calls]
    return max(turns, default=-1) + 1


def _results(said: Iterable[Message]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for message in said:
        if message.role == "tool" and message.tool_call_id:
            name = message.tool_call_id.rpartition("-")[0]
            found.setdefault(name, []).append(_value(message.content))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _value(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def _refuse(failure: str | None) -> None:
    match failure:
        case "refused":
            raise ProviderRefused("the script refuses (400)")
        case "busy":
            raise ProviderBusy("the script is busy (429)")
        case "unavailable":
            raise ProviderUnavailable("the script cannot be reached")
        case "server_error" | "garbage":
            raise ProviderUnknown(f"the script answered with {failure}")


def _played(turn: Turn, stage: Stage, said: Iterable[Message],
            index: int) -> tuple[str, tuple[ToolCall, ...]]:
    try:
        return stage.text(turn.say), tuple(
            _call(name, index, call.tool, stage.arguments(call))
            for name, call in turn.calls.items())
    except BadScript as error:
        failed = [f"{n}: {r['message']}" for n, r in _results(said).items()
                  if isinstance(r, dict) and "error" in r and "message" in r]
        if not failed:
            raise ProviderRefused(error.detail) from error
        return f"I cannot finish this, because a tool failed. {'; '.join(failed)}", ()


def _call(name: str, index: int, tool: str, arguments: dict[str, Any]) -> ToolCall:
    return ToolCall(id=f"{name}-{index}", name=tool, arguments=arguments,
                    raw=canonical(arguments))


async def _stream(text: str, on_token: OnToken | None) -> None:
    for start in range(0, len(text) if on_token else 0, PIECE_CHARS):
        if on_token:
            await on_token(text[start:start + PIECE_CHARS])


def _reply(request: ModelRequest, turn: Turn, text: str,
           calls: tuple[ToolCall, ...]) -> ModelReply:
    other = turn.failure(request.name) == "other_model"
    return ModelReply(
        text=text, tool_calls=calls, usage=_usage(request, turn, text, calls),
        model=f"{request.provider}/another" if other else request.model,
        finish_reason="tool_calls" if calls else "stop")


def _usage(request: ModelRequest, turn: Turn, text: str, calls: tuple[ToolCall, ...]) -> Usage:
    if turn.usage == "reserved":
        return Usage(input_uncached=estimated(request), output_text=request.output_tokens_max)
    if turn.usage is not None:
        return Usage(input_uncached=turn.usage.input, output_text=turn.usage.output)
    said = estimate(text) + sum(estimate(call.name + call.raw) for call in calls)
    return Usage(input_uncached=estimated(request),
                 output_text=min(said, request.output_tokens_max))
