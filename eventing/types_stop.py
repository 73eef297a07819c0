"""The events of the kill switch: what may not spend any more, and what may again."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict


class StopPayload(BaseModel):
    """The data of both events."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    TYPE: ClassVar[str]
    kind: Literal["agent", "tool", "tenant", "all"]
    name: str
    """`all` for everything."""
    reason: str
    policy: Literal["pause", "fail"]
    """What becomes of a task at its next step."""


class StopPlaced(StopPayload):
    """No reserve of it succeeds any more."""

    TYPE = "dev.tollgate.stop.placed.v1"


class StopLifted(StopPayload):
    """It may reserve again."""

    TYPE = "dev.tollgate.stop.lifted.v1"


STOP_TYPES: tuple[type[StopPayload], ...] = (StopPlaced, StopLifted)
