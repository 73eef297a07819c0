"""Reads budgets written as YAML (docs/budgets.md) and names every fault by line and field.

No I/O here: a text comes in, what it wants goes out.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from functions.ledger.accounts import SAFE
from functions.ledger.budget_changes import Section, Wanted
from functions.ledger.budget_yaml import Faults, Lines, located, parse
from functions.ledger.limits import Cap, Limit, Policy, Scope, Unit, field
from functions.ledger.price_table import PriceTable
from functions.ledger.windows import Window, known_zone
from shared.amounts import NANO
from shared.limits import AMOUNT_MAX, BUDGETS_PER_TENANT_MAX

WINDOWS: Mapping[str, Window] = {"life": "life", "hour": "h", "day": "d", "week": "w", "month": "m"}
Span = Literal["life", "hour", "day", "week", "month"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Usd = Annotated[Decimal, Field(ge=0, le=Decimal(AMOUNT_MAX) / NANO, decimal_places=9)]
Count = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
Percent = Annotated[int, Field(ge=1, le=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Amounts(_Part):
    usd: Usd | None = None
    tokens: Count | None = None
    calls: Count | None = None

    def amounts(self) -> dict[Unit, int]:
        """Return what is limited: nano-USD, tokens, calls."""
        usd = None if self.usd is None else int(self.usd * NANO)
        found: dict[Unit, int | None] = {"usd": usd, "tok": self.tokens, "calls": self.calls}
        return {unit: limit for unit, limit in found.items() if limit is not None}


class BudgetEntry(_Amounts):
    """One entry of `budgets`."""

    scope: Scope
    id: str = Field(default="", max_length=256)
    window: Span = "life"
    thresholds: tuple[Percent, ...] = Field(
        default=Limit.model_fields["thresholds"].default, max_length=8)
    policy: Policy = "deny"

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if not self.amounts():
            raise ValueError("give at least one of usd, tokens and calls")
        if not self.id and self.scope != "tenant":
            raise ValueError(f"a budget of scope {self.scope} needs an id")
        return self

    def fields(self, tenant: str) -> dict[str, Limit]:
        """Return the limits by their field in the tenant's hash.

        Raises:
            ValueError: it is a tenant's, and another's.
        """
        owner = self.id or tenant
        if self.scope == "tenant" and owner != tenant:
            raise ValueError(f"the budget of tenant {owner} stands under tenant {tenant}")
        at = quote(owner, SAFE), WINDOWS[self.window]
        thresholds = tuple(sorted(set(self.thresholds)))
        return {field(self.scope, *at, unit): Limit(
            limit=limit, thresholds=thresholds, policy=self.policy)
            for unit, limit in self.amounts().items()}


class TenantEntry(_Part):
    """One tenant's section."""

    timezone: str | None = None
    budgets: tuple[BudgetEntry, ...] = Field(default=(), max_length=BUDGETS_PER_TENANT_MAX)
    prices: PriceTable | None = None

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and not known_zone(name):
            raise ValueError(f"there is no time zone {name!r}; an example is Europe/Berlin")
        return name


class CapEntry(_Amounts):
    """One entry of `platform`."""

    cap: Name
    window: Span = "month"
    chunk: Usd
    tenants: tuple[Name, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _limits_one_unit(self) -> Self:
        if len(self.amounts()) != 1:
            raise ValueError("give exactly one of usd, tokens and calls")
        if self._chunk() < 1:
            raise ValueError("chunk: at least 1 token, 1 call or 0.000000001 USD")
        return self

    def _chunk(self) -> int:
        return int(self.chunk * (1 if self.usd is None else NANO))

    def value(self) -> Cap:
        """Return the cap as it is stored."""
        ((unit, limit),) = self.amounts().items()
        return Cap(name=self.cap, window=WINDOWS[self.window], unit=unit, limit=limit,
                   chunk=self._chunk(), tenants=tuple(sorted(set(self.tenants))))


class Document(_Part):
    """The whole file."""

    version: Literal["1"]
    tenants: dict[Name, TenantEntry] = {}
    platform: tuple[CapEntry, ...] = ()


def read(text: str) -> Wanted:
    """Return what a text wants.

    Raises:
        Faults: it is malformed; every fault is named with its line and field.
    """
    data, lines = parse(text)
    try:
        document = Document.model_validate(data)
    except ValidationError as error:
        raise located(error, lines) from None
    return Wanted({name: _section(name, entry, lines)
                   for name, entry in document.tenants.items()}, _caps(document, lines))


def _section(tenant: str, entry: TenantEntry, lines: Lines) -> Section:
    found: dict[str, Limit] = {}
    for at, budget in enumerate(entry.budgets):
        path = ("tenants", tenant, "budgets", at)
        try:
            fields = budget.fields(tenant)
        except ValueError as error:
            raise Faults([(path, str(error))], lines) from error
        if twice := found.keys() & fields.keys():
            raise Faults([(path, f"{min(twice)} has a budget already, further up")], lines)
        found |= fields
    return Section(entry.timezone, found, entry.prices)


def _caps(document: Document, lines: Lines) -> dict[str, Cap]:
    found: dict[str, Cap] = {}
    for at, entry in enumerate(document.platform):
        if entry.cap in found:
            raise Faults([(("platform", at, "cap"), f"cap {entry.cap} stands further up")], lines)
        found[entry.cap] = entry.value()
    return found
