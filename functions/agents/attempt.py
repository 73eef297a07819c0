"""What one step has asked its model so far: what survives a crash in the claim's record."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from pydantic import TypeAdapter

from shared.models.port import ModelReply

_REPLY = TypeAdapter(ModelReply)
REASON_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """One question to one model within caps; `attempt` grows only with a dispatch."""

    model: str
    output_tokens_max: int
    input_tokens_max: int
    ask: int = 0
    """Grows when the question itself changes: other model, smaller cap, after a denial."""
    attempt: int = 0
    errors: tuple[str, ...] = ()
    answer: dict[str, Any] | None = field(default=None)
    """The reply as JSON, stored before the settle: whoever finds it makes no call."""
    started_at: float = 0.0
    ended_at: float = 0.0
    requested_model: str = ""
    downgrade_reason: str | None = None

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """Return the attempt that a claim's record holds."""
        return cls(**{**record, "errors": tuple(record["errors"])})

    def record(self) -> dict[str, Any]:
        """Return the attempt as a claim's record."""
        return {**asdict(self), "errors": list(self.errors)}

    def answered(self, reply: ModelReply, started_at: float, ended_at: float) -> Self:
        """Return the attempt with its answer."""
        return replace(self, answer=_REPLY.dump_python(reply, mode="json"),
                       started_at=started_at, ended_at=ended_at)

    def reply(self) -> ModelReply | None:
        """Return the stored answer, if there is one."""
        return None if self.answer is None else _REPLY.validate_python(self.answer)

    def failed(self, why: str, model: str) -> Self:
        """Return the next attempt after a dispatch that brought no answer."""
        changed = model != self.model
        return replace(
            self, attempt=self.attempt + 1, ask=self.ask + int(changed), model=model,
            errors=(*self.errors, why[:300]),
            downgrade_reason=f"fallback: {why[:100]}" if changed else self.downgrade_reason)

    def capped(self, output_tokens_max: int, why: str) -> Self:
        """Return the same question with a smaller output cap."""
        return replace(self, ask=self.ask + 1, output_tokens_max=output_tokens_max,
                       downgrade_reason=why[:REASON_CHARS_MAX])

    def cheaper(self, model: str, output_tokens_max: int, why: str) -> Self:
        """Return the same question to a cheaper model."""
        return replace(self, ask=self.ask + 1, model=model, output_tokens_max=output_tokens_max,
                       downgrade_reason=why[:REASON_CHARS_MAX])

    def again(self, output_tokens_max: int) -> Self:
        """Return the question as it was first, for when there may be budget again."""
        return replace(self, ask=self.ask + 1, model=self.requested_model,
                       output_tokens_max=output_tokens_max, downgrade_reason=None)
