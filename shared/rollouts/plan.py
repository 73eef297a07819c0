"""A rollout as the Knative Service's annotation says it: the one truth of its state."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Malformed
from shared.limits import (
    ROLLOUT_DURATION_MAX_S,
    ROLLOUT_DURATION_MIN_S,
    ROLLOUT_REASON_CHARS_MAX,
    ROLLOUT_SAMPLES_MAX,
)

ANNOTATION = "tollgate.dev/rollout"
"""On the Service's own metadata, never on its template: that would make another revision."""

Text = Annotated[str, Field(max_length=ROLLOUT_REASON_CHARS_MAX)]


class Phase(StrEnum):
    """Where a rollout is."""

    STARTING = "starting"
    """The stable revision is pinned; the candidate is not ready yet."""
    RUNNING = "running"
    PROMOTED = "promoted"
    ABORTED = "aborted"
    REVERTED = "reverted"
    """Rolled back after it was promoted."""

    @property
    def active(self) -> bool:
        """Tell whether two revisions are being compared, or about to be."""
        return self in (Phase.STARTING, Phase.RUNNING)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bounds(_Value):
    """How much worse the candidate may be measured, and what counts as enough samples."""

    min_samples: int = Field(default=30, ge=2, le=ROLLOUT_SAMPLES_MAX)
    """Per revision, before any verdict."""
    max_duration_s: float = Field(
        default=7200, ge=ROLLOUT_DURATION_MIN_S, le=ROLLOUT_DURATION_MAX_S)
    max_cost_ratio: float = Field(default=1.2, ge=1, le=100)
    """Of the cost per successful task."""
    max_error_increase: float = Field(default=0.05, ge=0, le=1)
    """Of the share of failures, absolute: 0.05 is five points."""
    max_p95_ratio: float = Field(default=1.5, ge=1, le=100)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """The chance that an equal revision is ever called worse, over all looks and figures."""
    auto_promote: bool = False
    if_insufficient: Literal["abort", "hold"] = "abort"
    """What becomes of a rollout whose time is over without a verdict."""


class ArmFigures(_Value):
    """What one revision did."""

    samples: int = 0
    failures: int = 0
    cost_per_success_nano: int | None = None
    p95_s: float | None = None


class Figures(_Value):
    """Both revisions at the last look."""

    at: float = 0.0
    """Seconds since the epoch."""
    stable: ArmFigures = ArmFigures()
    candidate: ArmFigures = ArmFigures()


class Rollout(_Value):
    """One attempt to replace a function's revision by another."""

    schema_version: Literal[1] = 1
    id: str
    phase: Phase
    stable: str
    """The revision that serves."""
    candidate: str = ""
    """The revision that shall; empty until it is created."""
    percent: int = Field(ge=0, le=100)
    """The candidate's share of new requests while it is compared."""
    created_at: float
    """Seconds since the epoch."""
    started_at: float | None = None
    """When the traffic was first split; the clock of `max_duration_s`."""
    bounds: Bounds = Bounds()
    verdict: Literal["continue", "pass", "fail", "insufficient"] = "continue"
    reason: Text = ""
    figures: Figures = Figures()
    announced: Phase | None = None
    """The phase whose event was published last."""

    @classmethod
    def of(cls, service: dict[str, Any]) -> Self | None:
        """Return the rollout that a Service's annotation holds, or `None`.

        Raises:
            Malformed: the annotation is not what this release writes.
        """
        metadata = service["metadata"]
        text = (metadata.get("annotations") or {}).get(ANNOTATION)
        if not text:
            return None
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise Malformed(f"Service {metadata['name']}: annotation {ANNOTATION} is not a "
                            f"rollout: {error.errors()[0]['msg']}; remove it with kubectl "
                            f"annotate ksvc {metadata['name']} {ANNOTATION}-") from error

    def but(self, **changes: Any) -> Self:
        """Return the rollout with some fields changed; a long reason is shortened."""
        if len(reason := changes.get("reason", "")) > ROLLOUT_REASON_CHARS_MAX:
            changes["reason"] = reason[:ROLLOUT_REASON_CHARS_MAX - 1] + "…"
        return self.model_copy(update=changes)

    def document(self) -> str:
        """Return the annotation's text."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def ends_at(self) -> float | None:
        """Return when its time is over, seconds since the epoch."""
        return None if self.started_at is None else self.started_at + self.bounds.max_duration_s
