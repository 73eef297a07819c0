"""Chat completions of OpenAI and of every server that speaks like it.

Source: https://platform.openai.com/docs/api-reference/chat-streaming (chunks, `include_usage`).
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import httpx2
from pydantic import SecretStr

from shared.ids import canonical
from shared.models.adapter import Adapter, Answer
from shared.models.counting import chat_usage
from shared.models.port import Message, ModelReply, ModelRequest
from shared.models.streaming import tool_call

OWN_URL = "https://api.openai.com/v1"


class OpenAICompatible(Adapter):
    """One base URL; without one, OpenAI itself."""

    def __init__(self, base_url: str, key: SecretStr, client: httpx2.AsyncClient) -> None:
        secret = key.get_secret_value()
        super().__init__((base_url or OWN_URL).rstrip("/"),
                         {"authorization": f"Bearer {secret}"} if secret else {}, client)

    def _asked(self, request: ModelRequest, tag: str,
               ) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        return {**self._headers, "x-client-request-id": tag}, self._body(request)

    @abstractmethod
    def _body(self, request: ModelRequest) -> Mapping[str, Any]: ...


class _Answer(Answer):
    """Chunks put together."""

    FORM = "a chunk of a completion"

    def __init__(self, request: ModelRequest) -> None:
        super().__init__(request)
        self._text: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._usage: Mapping[str, Any] = {}
        self._model = request.name
        self._finish = ""
        self._tier: str | None = None

    def _is_whole(self) -> bool:
        return bool(self._finish)

    def _reply(self) -> ModelReply:
        calls = tuple(tool_call(c["id"] or f"call-{at}", c["name"], c["raw"])
                      for at, c in sorted(self._calls.items()))
        text = "".join(self._text)
        said = text + "".join(c["name"] + c["raw"] for c in self._calls.values())
        return ModelReply(
            text=text, tool_calls=calls,
            usage=self.used(chat_usage(self._usage, self._model), said),
            model=f"{self.request.provider}/{self._model}", finish_reason=self._finish,
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
        piece = str(delta.get("content") or delta.get("refusal") or "")
        self._text.append(piece)
        return piece

    def _call(self, part: Mapping[str, Any], position: int) -> None:
        at = part.get("index", position)
        call = self._calls.setdefault(at, {"id": "", "name": "", "raw": ""})
        function = part.get("function") or {}
        call["id"] = part.get("id") or call["id"]
        call["name"] = function.get("name") or call["name"]
        call["raw"] += function.get("arguments") or ""


class OpenAI(OpenAICompatible):
    """Chat completions."""

    PATH = "/chat/completions"
    ANSWER = _Answer

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


def _message(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_call_id:
        body["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        body["tool_calls"] = [{"id": call.id, "type": "function", "function": {
            "name": call.name, "arguments": call.raw or canonical(call.arguments or {})}}
            for call in message.tool_calls]
    return body
