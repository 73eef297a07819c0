"""The one port to every model, whoever serves it.

A call needs a `Permit`, the proof of a dispatched reservation, so nothing can be called unpaid.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from shared.metering import Permit
from shared.usage import Usage

Role = Literal["system", "user", "assistant", "tool"]
OnToken = Callable[[str], Awaitable[None]]
"""Receives each piece of text as it is streamed."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a model asks for."""

    id: str
    name: str
    arguments: dict[str, Any] | None
    """`None` when what the model wrote is not a JSON object; `raw` has it."""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation; a `tool` message answers the call `tool_call_id`."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it; `schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What to ask which model, within which caps."""

    model: str
    """`<provider>/<name>`."""
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    output_tokens_max: int = 1024
    """Sent to the provider as its cap: the reservation was made for it."""
    timeout_s: float = 30.0
    """The whole call, from connecting to the last byte."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Sent to providers that take it (trace id, task id)."""

    @property
    def provider(self) -> str:
        """Return the part of the model before the slash."""
        return self.model.partition("/")[0]

    @property
    def name(self) -> str:
        """Return the part of the model after the first slash, as its provider knows it."""
        return self.model.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ModelReply:
    """One whole answer, with what it used as its provider counted it."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage
    model: str
    """`<provider>/<name>` of the model that answered, which may not be the one asked."""
    finish_reason: str
    """stop, length, tool_calls, content_filter, or the provider's own word."""
    service_tier: str | None = None


class Model(Protocol):
    """Serves models of one provider; has no retries of its own."""

    async def complete(self, request: ModelRequest, permit: Permit,
                       on_token: OnToken | None = None) -> ModelReply:
        """Return the model's answer to one paid attempt.

        Raises:
            ProviderRefused, ProviderBusy, ProviderUnavailable: nothing was used; void.
            ProviderUnknown: whether tokens were used is unknown; resolve.
        """

    async def ready(self) -> None:
        """Return if the provider can be reached, without using tokens.

        Raises:
            ProviderUnavailable: it cannot.
        """

    def input_tokens_max(self, request: ModelRequest) -> int:
        """Return an upper bound of the request's input tokens, tools' schemas included."""
