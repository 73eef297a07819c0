"""Anthropic's messages.

Source: https://docs.anthropic.com/en/api/messages-streaming (events; usage is cumulative).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx2
from pydantic import SecretStr

from shared.ids import canonical
from shared.models.adapter import Adapter, Answer
from shared.models.counting import messages_usage
from shared.models.port import Message, ModelReply, ModelRequest
from shared.models.streaming import tool_call

OWN_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length",
           "tool_use": "tool_calls", "refusal": "content_filter",
           "model_context_window_exceeded": "length"}


class _Answer(Answer):
    """Events put together."""

    FORM = "an event of a message"

    def __init__(self, request: ModelRequest) -> None:
        super().__init__(request)
        self._blocks: dict[int, dict[str, str]] = {}
        self._usage: dict[str, Any] = {}
        self._model = request.name
        self._finish: str | None = None
        self._is_over = False

    def _is_whole(self) -> bool:
        return self._is_over

    def _reply(self) -> ModelReply:
        blocks = [block for _, block in sorted(self._blocks.items())]
        said = "".join(b["text"] + b["name"] + b["raw"] for b in blocks)
        return ModelReply(
            text="".join(b["text"] for b in blocks),
            tool_calls=tuple(tool_call(b["id"], b["name"], b["raw"]) for b in blocks if b["id"]),
            usage=self.used(messages_usage(self._usage), said),
            model=f"{self.request.provider}/{self._model}",
            finish_reason=_FINISH.get(self._finish or "", self._finish or "stop"),
            service_tier=self._usage.get("service_tier"))

    def _added(self, event: Mapping[str, Any]) -> str:
        match event["type"]:
            case "message_start":
                self._model = event["message"].get("model") or self._model
                self._usage |= event["message"].get("usage") or {}
            case "content_block_start":
                self._blocks[event["index"]] = _block(event["content_block"])
            case "content_block_delta":
                return self._delta(self._blocks[event["index"]], event["delta"])
            case "message_delta":
                self._finish = event["delta"].get("stop_reason") or self._finish
                self._usage |= {k: v for k, v in (event.get("usage") or {}).items()
                                if v is not None}
            case "message_stop":
                self._is_over = True
            case "message":
                self._unstreamed(event)
        return ""

    def _unstreamed(self, message: Mapping[str, Any]) -> None:
        """Take a whole message in, of a server that does not stream."""
        self._model, self._is_over = message.get("model") or self._model, True
        self._finish, self._usage = message.get("stop_reason"), message.get("usage") or {}
        for at, block in enumerate(message["content"]):
            self._blocks[at] = _block(block)
            if self._blocks[at]["id"]:
                self._blocks[at]["raw"] = canonical(block.get("input") or {})

    def _delta(self, block: dict[str, str], delta: Mapping[str, Any]) -> str:
        block["raw"] += delta.get("partial_json") or ""
        piece = delta.get("text") or ""
        block["text"] += piece
        return piece


class Anthropic(Adapter):
    """One base URL; without one, Anthropic itself."""

    PATH, MODELS = "/v1/messages", "/v1/models"
    ANSWER = _Answer

    def __init__(self, base_url: str, key: SecretStr, client: httpx2.AsyncClient) -> None:
        super().__init__(
            (base_url or OWN_URL).rstrip("/").removesuffix("/v1"),
            {"anthropic-version": VERSION, "x-api-key": key.get_secret_value()}, client)

    def _asked(self, request: ModelRequest, tag: str,
               ) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        return self._headers, {**_body(request), "metadata": {"user_id": tag}}


def _block(start: Mapping[str, Any]) -> dict[str, str]:
    """Return a block in the making; tools that the provider runs itself are no calls for us."""
    is_call = start.get("type") == "tool_use"
    return {"id": (start.get("id") or "") if is_call else "",
            "name": (start.get("name") or "") if is_call else "", "raw": "",
            "text": start.get("text") or ""}


def _body(request: ModelRequest) -> dict[str, Any]:
    system = "\n\n".join(m.content for m in request.messages if m.role == "system")
    body = {"model": request.name, "max_tokens": request.output_tokens_max, "stream": True,
            "messages": _messages(m for m in request.messages if m.role != "system")}
    if system:
        body["system"] = system
    if request.tools:
        body["tools"] = [{"name": tool.name, "description": tool.description,
                          "input_schema": dict(tool.schema)} for tool in request.tools]
    return body


def _messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return turns that alternate, as the API wants them: neighbours of a role become one."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        if not turns or turns[-1]["role"] != role:
            turns.append({"role": role, "content": []})
        turns[-1]["content"] += _blocks(message)
    return [turn for turn in turns if turn["content"]]


def _blocks(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id,
                 "content": message.content}]
    text = [{"type": "text", "text": message.content}] if message.content.strip() else []
    return [*text, *({"type": "tool_use", "id": call.id, "name": call.name,
                      "input": call.arguments or {}} for call in message.tool_calls)]
