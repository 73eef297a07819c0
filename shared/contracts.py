"""The tools' contracts and the agents' entries, as the generated catalogue file has them."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import TollgateError
from shared.ids import canonical

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

FAULTS_TOLD_MAX = 8
"""Faults of one call that a model is told: more only cost tokens."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolContract(_Frozen):
    """What a tool takes, gives, costs and promises."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    """Its folder, its Service and what a model calls it."""
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: str
    idempotent: bool
    """May be run again with the same key after a crash."""
    changes_world: bool
    price_nano: int = Field(ge=0)
    """Nano-USD per run."""
    timeout_s: float = Field(gt=0)
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


class AgentEntry(_Frozen):
    """An agent that tasks can be given to."""

    name: str
    description: str
    tools: tuple[str, ...] = ()


class Catalogue(_Frozen):
    """Everything that is deployed and can be asked by name."""

    tools: tuple[ToolContract, ...] = ()
    agents: tuple[AgentEntry, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Catalogue":
        """Read the catalogue file.

        Raises:
            TollgateError: the file is missing or is not a catalogue; the message says where.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise TollgateError(f"catalogue {path}: {error}") from error

    def tool(self, name: str) -> ToolContract | None:
        """Return the contract of that name, or `None`."""
        return next((tool for tool in self.tools if tool.name == name), None)

    def agent(self, name: str) -> AgentEntry | None:
        """Return the agent of that name, or `None`."""
        return next((agent for agent in self.agents if agent.name == name), None)


def check_arguments(contract: ToolContract, arguments: Any) -> list[str]:
    """Return what is wrong with the arguments, as sentences a model can act on; none is fine."""
    faults = _validator(canonical(contract.input_schema)).iter_errors(arguments)
    told = [_sentence(fault) for fault in sorted(faults, key=lambda f: [str(p) for p in f.path])]
    return told[:FAULTS_TOLD_MAX]


@lru_cache(maxsize=256)
def _validator(schema: str) -> "Validator":
    from jsonschema import Draft202012Validator  # slow to import; tools check with pydantic

    return Draft202012Validator(json.loads(schema))


def _sentence(fault: "ValidationError") -> str:
    where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in fault.absolute_path)
    path = where.lstrip(".") or "arguments"
    hint = _hint(fault.schema) if isinstance(fault.schema, Mapping) else ""
    return f"{path}: {fault.message}{hint}"


def _hint(schema: Mapping[str, Any]) -> str:
    known = schema.get("properties")
    return f" (known: {', '.join(sorted(known))})" if isinstance(known, dict) and known else ""
