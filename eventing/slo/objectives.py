"""Reads agents' objectives."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.metric_limits import TASK_BUCKETS_S


class ObjectiveError(Exception):
    """An objective cannot be watched; the message names file and field."""


class Objectives(BaseModel):
    """What an agent promises about its tasks over 30 days."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    success_ratio: float = Field(gt=0, lt=1)
    """Share of tasks that complete without an error; cancelled ones do not count."""
    p95_s: float
    """19 of 20 tasks take no longer."""
    cost_per_task_usd: float = Field(gt=0)
    """The mean."""

    @field_validator("p95_s")
    @classmethod
    def _is_counted(cls, value: float) -> float:
        if value not in TASK_BUCKETS_S:
            raise ValueError(f"durations are counted at {', '.join(map(str, TASK_BUCKETS_S))} s: "
                             "take one of these")
        return value


def read_all(folder: Path) -> dict[str, Objectives]:
    """Return the objectives of every agent that has some, by name.

    Raises:
        ObjectiveError: one cannot be read or watched.
    """
    found = {path.parent.name: _read(path) for path in sorted(folder.glob("*/agent.yaml"))}
    return {agent: one for agent, one in found.items() if one is not None}


def _read(path: Path) -> Objectives | None:
    try:
        fields: Any = yaml.safe_load(path.read_text())
        return Objectives.model_validate(fields["slo"]) if "slo" in fields else None
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise ObjectiveError(f"{path}: {_said(error)}") from error


def _said(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"slo.{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                     for fault in error.errors())
