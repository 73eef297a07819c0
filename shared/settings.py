"""Builds one frozen settings value per function from its environment, once, in `main.py`."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import TollgateError

GIVEN = frozenset({"K_REVISION"})
"""Variables that Knative sets itself in every process of a Service."""


class Misconfigured(TollgateError):
    """The environment lacks a variable, or one has a value that cannot be used."""

    title = "Misconfigured"


class Settings(BaseModel):
    """A frozen set of values; every field's alias is the variable it is read from."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    revision: str | None = Field(default=None, alias="K_REVISION")
    """Which revision of the function this process is; Knative says it, no manifest does."""

    @classmethod
    def variables(cls) -> frozenset[str]:
        """Return the names of the environment variables that a manifest sets."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items()) - GIVEN

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an empty variable counts as absent.

        Raises:
            Misconfigured: a variable is missing or invalid; the message names each one.
        """
        given = {name: environ[name] for name in cls.variables() | GIVEN if environ.get(name)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            faults = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            raise Misconfigured(f"environment of {cls.__module__}: {faults}") from error
