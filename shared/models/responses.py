"""OpenAI's responses, as provider `openai-responses`; priced and attributed as `openai`.

Source: https://platform.openai.com/docs/api-reference/responses-streaming (events).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
from pydantic import SecretStr

from shared.ids import canonical
from shared.metering import Permit
from shared.models.counting import responses_usage
from shared.models.errors import ProviderUnknown
from shared.models.openai import OWN_URL
from shared.models.port import Message, ModelReply, ModelRequest, OnToken, ToolCall
from shared.models.streaming import events, reachable, tool_call, within
from shared.models.tokens import bounded, estimate, estimated
from shared.usage import Usage

ENDS = ("response.completed", "response.incomplete")
FAULTS = ("response.failed", "response.cancelled", "error")
REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


class Responses:
    """One base URL; without one, OpenAI itself."""

    def __init__(self, base_url: str, key: SecretStr, client: httpx2.AsyncClient) -> None:
        self._url = (base_url or OWN_URL).rstrip("/")
        secret = key.get_secret_value()
        self._headers = {"authorization": f"Bearer {secret}"} if secret else {}
        self._client = client

    async def complete(self, request: ModelRequest, permit: Permit,
                       on_token: OnToken | None = None) -> ModelReply:
        """Return the whole answer, streamed.

        Raises:
            ProviderRefused, ProviderBusy, ProviderUnavailable, ProviderUnknown: as the port says.
        """
        tag = request.metadata.get("trace_id") or permit.reservation_id
        headers = {**self._headers, "x-client-request-id": tag}
        answer = _Answer(request)
        async with within(request.timeout_s):
            async for event in events(self._client, f"{self._url}/responses", headers,
                                      _body(request)):
                piece = answer.add(event)
                if piece and on_token:
                    await on_token(piece)
        return answer.reply()

    async def ready(self) -> None:
        """Ask for the list of models, which uses no tokens."""
        await reachable(self._client, f"{self._url}/models", self._headers)

    def input_tokens_max(self, request: ModelRequest) -> int:
        """Return the bound that holds for any tokenizer."""
        return bounded(request)


class _Answer:
    """The last event holds everything; the ones before it are told as they come."""

    def __init__(self, request: ModelRequest) -> None:
        self._request = request
        self._whole: Mapping[str, Any] | None = None

    def add(self, event: Mapping[str, Any]) -> str:
        """Take one event in; return the text it brings."""
        try:
            return self._added(event)
        except (KeyError, TypeError, AttributeError) as error:
            raise ProviderUnknown(f"not an event of a response: {str(event)[:80]}") from error

    def reply(self) -> ModelReply:
        """Return the answer.

        Raises:
            ProviderUnknown: the stream ended before the answer did, or it is none.
        """
        if self._whole is None:
            raise ProviderUnknown("the stream ended before the answer did")
        try:
            return self._reply(self._whole)
        except (KeyError, TypeError, AttributeError) as error:
            raise ProviderUnknown(f"not a response: {str(self._whole)[:80]}") from error

    def _added(self, event: Mapping[str, Any]) -> str:
        if event.get("object") == "response":  # a server that does not stream
            self._whole = event
            return ""
        kind = event["type"]
        if kind in FAULTS:
            raise ProviderUnknown(f"an error in the stream: {str(event)[:300]}")
        if kind in ENDS:
            self._whole = event["response"]
        return str(event["delta"]) if kind == "response.output_text.delta" else ""

    def _reply(self, whole: Mapping[str, Any]) -> ModelReply:
        output = whole["output"]
        text, calls = "".join(_texts(output)), tuple(_calls(output))
        reason = (whole.get("incomplete_details") or {}).get("reason")
        if whole.get("status") == "failed":
            raise ProviderUnknown(f"the response failed: {str(whole.get('error'))[:300]}")
        ended = REASONS.get(str(reason), reason) or ("tool_calls" if calls else "stop")
        return ModelReply(
            text=text, tool_calls=calls, usage=self._used(whole, text, calls),
            model=f"openai/{whole.get('model') or self._request.name}", finish_reason=ended,
            service_tier=whole.get("service_tier"))

    def _used(self, whole: Mapping[str, Any], text: str, calls: tuple[ToolCall, ...]) -> Usage:
        found = responses_usage(whole.get("usage") or {}, whole["output"])
        if found is not None:
            return found
        said = text + "".join(call.name + call.raw for call in calls)
        return Usage(input_uncached=estimated(self._request), output_text=estimate(said),
                     basis="estimated")


def _texts(output: list[Mapping[str, Any]]) -> Iterator[str]:
    for item in output:
        if item["type"] == "message":
            yield from (part.get("text") or part.get("refusal") or "" for part in item["content"])


def _calls(output: list[Mapping[str, Any]]) -> Iterator[ToolCall]:
    for item in output:
        if item["type"] == "function_call":
            yield tool_call(item["call_id"], item["name"], item["arguments"])


def _body(request: ModelRequest) -> dict[str, Any]:
    body = {"model": request.name, "stream": True, "store": False,
            "max_output_tokens": request.output_tokens_max,
            "input": [item for message in request.messages for item in _items(message)]}
    if request.tools:
        body["tools"] = [{"type": "function", "name": tool.name, "description": tool.description,
                          "parameters": dict(tool.schema), "strict": False}
                         for tool in request.tools]
    return body


def _items(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        yield {"type": "function_call_output", "call_id": message.tool_call_id,
               "output": message.content}
        return
    if message.content:
        yield {"role": message.role, "content": message.content}
    for call in message.tool_calls:
        yield {"type": "function_call", "call_id": call.id, "name": call.name,
               "arguments": call.raw or canonical(call.arguments or {})}
