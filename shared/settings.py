"""Builds one frozen settings value per function from its environment, once, in `main.py`."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import TollgateError


class Misconfigured(TollgateError):
    """The environment lacks a variable, or one has a value that cannot be used."""

    title = "Misconfigured"


class Settings(BaseModel):
    """A frozen set of values; every field's alias is the variable it is read from."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @classmethod
    def variables(cls) -> frozenset[str]:
        """Return the names of the environment variables these settings read."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an empty variable counts as absent.

        Raises:
            Misconfigured: a variable is missing or invalid; the message names each one.
        """
        given = {name: environ[name] for name in cls.variables() if environ.get(name)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            faults = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            raise Misconfigured(f"environment of {cls.__module__}: {faults}") from error
