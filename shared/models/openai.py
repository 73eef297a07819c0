"""Chat completions of OpenAI and of every server that speaks like it.

Source: https://platform.openai.com/docs/api-reference/chat-streaming (chunks, `include_usage`).
"""

from collections.abc import Mapping
from typing import Any

import httpx2
from pydantic import SecretStr

from shared.ids import canonical
from shared.metering import Permit
from shared.models.counting import chat_usage
from shared.models.errors import ProviderUnknown
from shared.models.port import Message, ModelReply, ModelRequest, OnToken
from shared.models.streaming import events, reachable, tool_call, within
from shared.models.tokens import bounded, estimate, estimated
from shared.usage import Usage

OWN_URL = "https://api.openai.com/v1"


class OpenAI:
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
            async for chunk in events(self._client, f"{self._url}/chat/completions", headers,
                                      self._body(request)):
                piece = answer.add(chunk)
                if piece and on_token:
                    await on_token(piece)
        return answer.reply()

    async def ready(self) -> None:
        """Ask for the list of models, which uses no tokens."""
        await reachable(self._client, f"{self._url}/models", self._headers)

    def input_tokens_max(self, request: ModelRequest) -> int:
        """Return the bound that holds for any tokenizer."""
        return bounded(request)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        # OpenAI's newer models refuse `max_tokens`; most other servers know nothing else.
        cap = "max_completion_tokens" if self._url == OWN_URL else "max_tokens"
        body = {"model": request.name, "messages": [_message(m) for m in request.messages],
                "stream": True, "stream_options": {"include_usage": True},
                cap: request.output_tokens_max}
        if request.tools:
            body["tools"] = [{"type": "function", "function": {
                "name": tool.name, "description": tool.description,
                "parameters": dict(tool.schema)}} for tool in request.tools]
        return body


class _Answer:
    """Chunks put together."""

    def __init__(self, request: ModelRequest) -> None:
        self._request = request
        self._text: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._usage: Mapping[str, Any] | None = None
        self._model = request.name
        self._finish: str | None = None
        self._tier: str | None = None

    def add(self, chunk: Mapping[str, Any]) -> str:
        """Take one chunk in; return the text it brings."""
        try:
            return self._added(chunk)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ProviderUnknown(f"not a chunk of a completion: {str(chunk)[:80]}") from error

    def reply(self) -> ModelReply:
        """Return the answer.

        Raises:
            ProviderUnknown: the stream ended before the answer did.
        """
        if self._finish is None:
            raise ProviderUnknown("the stream ended before the answer did")
        calls = tuple(tool_call(c["id"] or f"call-{at}", c["name"], c["raw"])
                      for at, c in sorted(self._calls.items()))
        return ModelReply(
            text="".join(self._text), tool_calls=calls, usage=self._used(),
            model=f"{self._request.provider}/{self._model}", finish_reason=self._finish,
            service_tier=self._tier)

    def _added(self, chunk: Mapping[str, Any]) -> str:
        self._usage = chunk.get("usage") or self._usage
        self._model = chunk.get("model") or self._model
        self._tier = chunk.get("service_tier") or self._tier
        if not chunk.get("choices"):
            return ""
        choice = chunk["choices"][0]
        self._finish = choice.get("finish_reason") or self._finish
        delta = choice.get("delta") or choice.get("message") or {}  # the latter if not streamed
        for position, part in enumerate(delta.get("tool_calls") or ()):
            self._call(part, position)
        piece = str(delta.get("content") or "")
        self._text.append(piece)
        return piece

    def _call(self, part: Mapping[str, Any], position: int) -> None:
        at = part.get("index", position)
        call = self._calls.setdefault(at, {"id": "", "name": "", "raw": ""})
        function = part.get("function") or {}
        call["id"] = part.get("id") or call["id"]
        call["name"] = function.get("name") or call["name"]
        call["raw"] += function.get("arguments") or ""

    def _used(self) -> Usage:
        found = chat_usage(self._usage or {})
        if found is not None:
            return found
        said = "".join(self._text) + "".join(c["name"] + c["raw"] for c in self._calls.values())
        return Usage(input_uncached=estimated(self._request), output_text=estimate(said),
                     basis="estimated")


def _message(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_call_id:
        body["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        body["tool_calls"] = [{"id": call.id, "type": "function", "function": {
            "name": call.name, "arguments": call.raw or canonical(call.arguments or {})}}
            for call in message.tool_calls]
    return body
