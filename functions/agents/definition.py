"""What an agent is: its `agent.yaml`, prompt and examples, read once at start."""

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import limits
from shared.errors import TollgateError
from shared.tasks.contract import Name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolUse(_Part):
    """A tool the agent may call, in a range of versions (`1`, `1.2` or `1.2.3`: that prefix)."""

    name: Name
    version: str = Field(default="1", pattern=r"^\d+(\.\d+){0,2}$")


class Bounds(_Part):
    """What one step of the agent may take."""

    output_tokens: int = Field(
        default=1024, ge=limits.OUTPUT_TOKENS_MIN, le=limits.OUTPUT_TOKENS_MAX)
    context_tokens: int = Field(default=8192, ge=512)


class Memory(_Part):
    """What the agent remembers of a session."""

    turns: int = Field(default=6, ge=0, le=limits.HISTORY_TURNS_MAX)


class Objective(_Part):
    """The agent's service-level objective."""

    success_ratio: float = Field(default=0.99, gt=0, le=1)
    p95_s: float = Field(default=60, gt=0)
    cost_per_task_usd: float = Field(default=0.05, gt=0)


class Definition(_Part):
    """`agent.yaml`, with the prompt and the examples beside it."""

    name: Name
    version: str = "1.0.0"
    description: str
    model: str | None = None
    """`<provider>/<name>`; none means what `TOLLGATE_MODEL` says."""
    fallbacks: tuple[str, ...] = ()
    """Other models, in order, for when a provider fails."""
    cheaper_models: tuple[str, ...] = ()
    """Other models, dearest first, for when a budget has no room (ADR 0025)."""
    tools: tuple[ToolUse, ...] = ()
    limits: Bounds = Bounds()
    memory: Memory = Memory()
    slo: Objective = Objective()
    prompt: str = ""
    examples: tuple[dict[str, Any], ...] = ()


def read(folder: Path) -> Definition:
    """Return the definition in a folder: `agent.yaml`, `prompt.md`, optional `examples.jsonl`.

    Raises:
        TollgateError: a file is missing or wrong; the message names file and field.
    """
    path = folder / "agent.yaml"
    examples = folder / "examples.jsonl"
    try:
        fields = yaml.safe_load(path.read_text())
        lines = examples.read_text().splitlines() if examples.exists() else []
        return Definition.model_validate({
            **fields, "prompt": (folder / "prompt.md").read_text(),
            "examples": tuple(json.loads(line) for line in lines if line.strip()),
        })
    except (OSError, ValueError, TypeError, yaml.YAMLError, ValidationError) as error:
        raise TollgateError(f"agent definition {path}: {error}") from error
