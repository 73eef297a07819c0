"""Turns one typed function into a tool: its contract is derived from its annotations."""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model

from shared.limits import TOOL_TIMEOUT_S

if TYPE_CHECKING:
    from shared.contracts import ToolContract

S = TypeVar("S")
_NOT_FOR_MODELS = re.compile(r"\n\s*(Raises|Returns|Args):\n")
"""Sections of a docstring that are for programmers."""


class ToolError(Exception):
    """The tool cannot do what was asked; its text is told to the model."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one run costs, in nano-USD."""

    nano: int

    @classmethod
    def free(cls) -> "Price":
        """Return the price of a tool that costs nothing."""
        return cls(0)

    @classmethod
    def usd(cls, amount: str) -> "Price":
        """Return a price in US dollars; the text is exact to a nano-dollar.

        Raises:
            ValueError: the amount is negative or has more than nine decimals.
        """
        nano = Decimal(amount).scaleb(9)
        if nano < 0 or nano != nano.to_integral_value():
            raise ValueError(f"price {amount}: not a whole number of nano-dollars ≥ 0")
        return cls(int(nano))


@dataclass(frozen=True, slots=True)
class Context(Generic[S]):
    """What a tool gets beside its arguments, if it has a parameter of this type."""

    idempotency_key: str
    """The step identity: the same for every attempt of this call."""
    tenant: str
    task: str
    settings: S


class Tool(Generic[S]):
    """A declared tool: the function, its contract, and how to call it."""

    def __init__(self, fn: Callable[..., Any], *, version: str, idempotent: bool,
                 changes_world: bool, price: Price, timeout_s: float) -> None:
        self.fn = fn
        self.name = fn.__module__.split(".")[-2]
        self.version = version
        self.idempotent = idempotent
        self.changes_world = changes_world
        self.price = price
        self.timeout_s = timeout_s
        hints = get_type_hints(fn, include_extras=True)
        self._returns = hints.pop("return")
        self._context = next((n for n, h in hints.items() if _is_context(h)), None)
        self.arguments = _arguments_model(fn, {n: h for n, h in hints.items()
                                               if n != self._context})

    @cached_property
    def contract(self) -> "ToolContract":
        """Return what is published about the tool."""
        from functions.tools.schema import Untitled  # a cold start that runs the tool needs none
        from shared.contracts import ToolContract

        return ToolContract(
            name=self.name, version=self.version, description=_description(self.fn),
            idempotent=self.idempotent, changes_world=self.changes_world,
            price_nano=self.price.nano, timeout_s=self.timeout_s,
            input_schema=self.arguments.model_json_schema(schema_generator=Untitled),
            output_schema=self.returns.json_schema(
                mode="serialization", schema_generator=Untitled))

    def call(self, arguments: BaseModel, context: Context[S]) -> Awaitable[Any] | Any:
        """Call the function with checked arguments; a coroutine function returns an awaitable."""
        given = {name: getattr(arguments, name) for name in type(arguments).model_fields}
        if self._context:
            given[self._context] = context
        return self.fn(**given)

    @property
    def is_async(self) -> bool:
        """Tell whether the function runs on the event loop or needs a thread."""
        return inspect.iscoroutinefunction(self.fn)

    @cached_property
    def returns(self) -> TypeAdapter[Any]:
        """Return what turns a result into JSON."""
        return TypeAdapter(self._returns)


def tool(*, version: str, idempotent: bool, changes_world: bool = False,
         price: Price | None = None,
         timeout_s: float = TOOL_TIMEOUT_S) -> Callable[[Callable[..., Any]], Tool[Any]]:
    """Declare the decorated function to be the tool of its folder.

    Parameters need annotations; `Field` gives them bounds and descriptions. A parameter of type
    `Context` is filled by the host and no part of the schema. A tool without `price` is free.
    """
    def declared(fn: Callable[..., Any]) -> Tool[Any]:
        return Tool(fn, version=version, idempotent=idempotent, changes_world=changes_world,
                    price=price or Price.free(), timeout_s=timeout_s)

    return declared


def _is_context(hint: Any) -> bool:
    return hint is Context or get_origin(hint) is Context


def _arguments_model(fn: Callable[..., Any], hints: dict[str, Any]) -> type[BaseModel]:
    defaults = {n: p.default for n, p in inspect.signature(fn).parameters.items()}
    fields: dict[str, Any] = {
        name: (hint, ... if defaults[name] is inspect.Parameter.empty else defaults[name])
        for name, hint in hints.items()}
    return create_model("Arguments", __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _description(fn: Callable[..., Any]) -> str:
    text = (inspect.getdoc(fn) or "") + "\n"
    return _NOT_FOR_MODELS.split(text, maxsplit=1)[0].strip()
