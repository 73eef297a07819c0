"""OpenAI's responses, as provider `openai-responses`; priced and attributed as `openai`.

Source: https://platform.openai.com/docs/api-reference/responses-streaming (events).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.ids import canonical
from shared.models.adapter import Answer
from shared.models.counting import responses_usage
from shared.models.errors import ProviderUnknown
from shared.models.openai import OpenAICompatible
from shared.models.port import Message, ModelReply, ModelRequest, ToolCall
from shared.models.streaming import tool_call

ENDS = ("response.completed", "response.incomplete")
FAULTS = ("response.failed", "response.cancelled", "error")
REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


class _Answer(Answer):
    """The last event holds everything; the ones before it are told as they come."""

    FORM = "an event of a response"

    def __init__(self, request: ModelRequest) -> None:
        super().__init__(request)
        self._whole: Mapping[str, Any] | None = None

    def _is_whole(self) -> bool:
        return self._whole is not None

    def _added(self, event: Mapping[str, Any]) -> str:
        if event.get("object") == "response":  # a server that does not stream
            self._whole = event
            return ""
        kind = event["type"]
        if kind in FAULTS:
            told = (event.get("response") or event).get("error") or event.get("message") or kind
            raise ProviderUnknown(f"an error in the stream: {str(told)[:300]}")
        if kind in ENDS:
            self._whole = event["response"]
        return str(event["delta"]) if kind == "response.output_text.delta" else ""

    def _reply(self) -> ModelReply:
        whole = self._whole or {}
        output = whole["output"]
        text, calls = "".join(_texts(output)), tuple(_calls(output))
        if whole.get("status") == "failed":
            raise ProviderUnknown(f"the response failed: {str(whole.get('error'))[:300]}")
        said = text + "".join(call.name + call.raw for call in calls)
        return ModelReply(
            text=text, tool_calls=calls,
            usage=self.used(responses_usage(whole.get("usage") or {}, output), said),
            model=f"openai/{whole.get('model') or self.request.name}",
            finish_reason=_ended(whole, calls), service_tier=whole.get("service_tier"))


class Responses(OpenAICompatible):
    """Responses of OpenAI, and of servers that speak like it."""

    PATH = "/responses"
    ANSWER = _Answer

    def _body(self, request: ModelRequest) -> Mapping[str, Any]:
        return _body(request)


def _ended(whole: Mapping[str, Any], calls: tuple[ToolCall, ...]) -> str:
    reason = (whole.get("incomplete_details") or {}).get("reason")
    return REASONS.get(str(reason), reason) or ("tool_calls" if calls else "stop")


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
