"""The events of rollouts: what became of a function's new revision, and by which figures."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from shared.rollouts.plan import Figures, Phase, Rollout


class RolloutPayload(BaseModel):
    """The data of one rollout event."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    TYPE: ClassVar[str]
    rollout: str
    service: str
    namespace: str
    stable: str
    """The revision that served before."""
    candidate: str
    percent: int
    """The candidate's share of new requests while it was compared."""
    verdict: str
    reason: str
    figures: Figures

    @classmethod
    def of(cls, rollout: Rollout, *, service: str, namespace: str) -> "RolloutPayload":
        """Return the data for a rollout as it is now."""
        return cls(
            rollout=rollout.id, service=service, namespace=namespace, stable=rollout.stable,
            candidate=rollout.candidate, percent=rollout.percent, verdict=rollout.verdict,
            reason=rollout.reason, figures=rollout.figures)


class RolloutStarted(RolloutPayload):
    """A share of new requests goes to the candidate."""

    TYPE = "dev.tollgate.rollout.started.v1"


class RolloutPromoted(RolloutPayload):
    """The candidate gets everything."""

    TYPE = "dev.tollgate.rollout.promoted.v1"


class RolloutAborted(RolloutPayload):
    """The candidate gets nothing any more; `reason` says why."""

    TYPE = "dev.tollgate.rollout.aborted.v1"


class RolloutReverted(RolloutPayload):
    """A promoted revision was taken back."""

    TYPE = "dev.tollgate.rollout.reverted.v1"


ROLLOUT_TYPES: tuple[type[RolloutPayload], ...] = (
    RolloutStarted, RolloutPromoted, RolloutAborted, RolloutReverted)

OF_PHASE: dict[Phase, type[RolloutPayload]] = {
    Phase.RUNNING: RolloutStarted, Phase.PROMOTED: RolloutPromoted,
    Phase.ABORTED: RolloutAborted, Phase.REVERTED: RolloutReverted}
"""Which event says that a phase has begun."""
