"""A script for the offline model: scenes picked by the prompt, turn after turn, without state.

A file holds `scenes`; the first whose `when` (a regular expression) is found in the prompt plays.
Its `turns` follow each other; the last repeats. A turn may

- `say` a text, a Jinja template over `prompt` and `results`;
- ask for `calls`: a name → `{tool, arguments}`; arguments are a mapping with templates in its
  texts, or one template whose text is YAML;
- use `usage`: `{input, output}` tokens, or `reserved` (all that was reserved); by default tokens
  are estimated from lengths;
- wait `delay_s`, or `fail` like a provider does – always, or by model: `{<name>: <failure>}`.

`results` has, by call name, what the tools answered so far, parsed from JSON; a list for a name
that was called in several turns. An undefined name is an error, never an empty text.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.errors import TollgateError

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

DEFAULT = Path(__file__).parent / "scripts" / "default.yaml"
Failure = Literal[
    "refused", "busy", "unavailable", "server_error", "garbage", "half", "other_model"]
"""`half` streams half of the text; `other_model` answers, as a model that was not asked."""


class BadScript(TollgateError):
    """The script file cannot be used, or its expressions do not fit what happened."""

    title = "Bad script"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tokens(_Part):
    """What a turn says it used."""

    input: int = Field(ge=0)
    output: int = Field(ge=0)


class ScriptedCall(_Part):
    """One tool call of a turn."""

    tool: str
    arguments: dict[str, Any] | str = Field(default_factory=dict)


class Turn(_Part):
    """One answer of the model."""

    say: str = ""
    calls: dict[str, ScriptedCall] = Field(default_factory=dict)
    usage: Tokens | Literal["reserved"] | None = None
    delay_s: float = Field(default=0.0, ge=0)
    fail: Failure | dict[str, Failure] | None = None

    def failure(self, model_name: str) -> Failure | None:
        """Return how the turn fails when `model_name` plays it, or `None`."""
        return self.fail.get(model_name) if isinstance(self.fail, dict) else self.fail


class Scene(_Part):
    """What happens after a prompt that `when` finds."""

    when: str
    turns: tuple[Turn, ...] = Field(min_length=1)

    @field_validator("when")
    @classmethod
    def _compiles(cls, when: str) -> str:
        try:
            re.compile(when)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return when

    def turn(self, index: int) -> Turn:
        """Return the turn of that index, the last one for any later index."""
        return self.turns[min(index, len(self.turns) - 1)]


class Script(_Part):
    """All scenes, in the order they are tried."""

    scenes: tuple[Scene, ...]

    @classmethod
    def read(cls, path: str = "") -> "Script":
        """Return the scenes of the file, if one is given, before the packaged ones.

        Raises:
            BadScript: a file cannot be read or is no script; the message says where.
        """
        own = _parsed(Path(path)).scenes if path else ()
        return cls(scenes=(*own, *_parsed(DEFAULT).scenes))

    def scene(self, prompt: str) -> Scene:
        """Return the scene of a prompt.

        Raises:
            BadScript: no scene fits; the packaged script has one for every prompt.
        """
        for scene in self.scenes:
            if re.search(scene.when, prompt):
                return scene
        raise BadScript("no scene fits the prompt")


class Stage:
    """Renders what a turn says and asks for, over one conversation."""

    def __init__(self, prompt: str, results: Mapping[str, Any], model: str) -> None:
        self._names = {"prompt": prompt, "results": results, "model": model}

    def text(self, template: str) -> str:
        """Return the rendered template.

        Raises:
            BadScript: the template is wrong, or uses what is not there.
        """
        from jinja2 import TemplateError

        try:
            return _environment().from_string(template).render(self._names).strip()
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise BadScript(f"the script cannot go on: {error}") from error

    def arguments(self, call: ScriptedCall) -> dict[str, Any]:
        """Return a call's arguments with every template rendered.

        Raises:
            BadScript: as `text`, or the rendered text is no YAML mapping.
        """
        if isinstance(call.arguments, dict):
            return {name: self._filled(value) for name, value in call.arguments.items()}
        try:
            parsed = yaml.safe_load(self.text(call.arguments))
        except yaml.YAMLError as error:
            raise BadScript(f"the script's arguments of {call.tool}: {error}") from error
        if not isinstance(parsed, dict):
            raise BadScript(f"the script's arguments of {call.tool} are no mapping")
        return parsed

    def _filled(self, value: Any) -> Any:
        match value:
            case str() if "{{" in value or "{%" in value:
                return self.text(value)
            case dict():
                return {name: self._filled(inner) for name, inner in value.items()}
            case list():
                return [self._filled(inner) for inner in value]
            case _:
                return value


def _parsed(path: Path) -> Script:
    try:
        return Script.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadScript(f"script {path}: {error}") from error


@lru_cache(maxsize=1)
def _environment() -> "ImmutableSandboxedEnvironment":
    from jinja2 import StrictUndefined  # slow to import; only this model needs it
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    environment.filters["match"] = _match
    return environment


def _match(text: str, pattern: str) -> str:
    """Return the first group of the first match, or the match, or an empty text."""
    found = re.search(pattern, text)
    return "" if found is None else found.group(found.lastindex or 0)
