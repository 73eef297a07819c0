"""Turns a call into what the reserve script needs, without I/O."""

from dataclasses import dataclass, replace
from typing import Any

from functions.ledger import keys
from functions.ledger.accounts import Accounts
from functions.ledger.call import Facts, document, fingerprint
from functions.ledger.cost import Priced, fitting, most
from functions.ledger.limits import Cap, Limits
from functions.ledger.packing import plain
from functions.ledger.prices import PriceBook
from functions.ledger.rates import Rates
from functions.ledger.requests import CallBody, ReserveBody
from functions.ledger.store import Tenant
from functions.ledger.windows import Windows
from shared.auth import Grant
from shared.limits import STATE_TTL_S
from shared.store import Value


@dataclass(frozen=True, slots=True)
class Draft:
    """One reserve, worked out under the limits that this process knows."""

    grant: Grant
    ask: ReserveBody
    limits: Limits
    windows: Windows
    rates: Rates
    priced: Priced
    accounts: Accounts
    call: dict[str, Any]

    @property
    def facts(self) -> Facts:
        """Return what the row will say for ever."""
        return Facts(self.accounts.names, self.call, self.priced.total_nano)

    def arguments(self) -> tuple[list[str], list[Value]]:
        """Return keys and arguments of the script."""
        name, ask = self.grant.tenant, self.ask
        return [
            keys.limits(name), keys.sequence(name), keys.outbox(name), keys.leases(name),
            keys.reservation(name, ask.id),
            *(keys.account(name, account.name) for account in self.accounts.all)
        ], [
            self.limits.version, self.windows.from_ms, self.windows.until_ms, ask.id,
            fingerprint(self.grant, ask), ask.holder, int(ask.lease_s * 1000),
            self.priced.total_nano, ask.input_tokens_max + ask.output_tokens_max, 1,
            self.accounts.names, plain(self.call), int(ask.dispatch), ask.ticket, STATE_TTL_S,
            self.accounts.task_position, *self.accounts.held]

    def without_chunks(self, account: str) -> "Draft":
        """Return the same, a cap's account limited by what it has."""
        return replace(self, accounts=self.accounts.without_chunks(account))

    def cap(self, account: str) -> Cap:
        """Return the cap that an account is under."""
        name = account.split("|")[1]
        return next(cap for cap in self.limits.caps if cap.name == name)

    def output_fitting(self, unit: str, have: int) -> int | None:
        """Return the largest output cap that `have` of a unit covers; `None` if none helps."""
        if unit == "tok" and self.ask.tool is None:
            return have - self.ask.input_tokens_max
        return fitting(self.rates, self.ask.input_tokens_max, have) if unit == "usd" else None


def rates_of(ask: CallBody, prices: PriceBook, limits: Limits) -> Rates:
    """Return the rates of what is to be called.

    Raises:
        Unpriced: nobody knows its price.
    """
    if ask.tool is not None:
        return prices.tool(ask.tool, ask.tool_version, limits.prices)
    return prices.model(ask.model or "", ask.input_tokens_max, own=limits.prices)


def draft(grant: Grant, ask: ReserveBody, prices: PriceBook, *, tenant: Tenant,
          trace: str | None) -> Draft:
    """Return the reserve of a call.

    Raises:
        Unpriced: nobody knows its price.
    """
    rates = rates_of(ask, prices, tenant.limits)
    priced = most(rates, ask.input_tokens_max, ask.output_tokens_max)
    return Draft(
        grant, ask, tenant.limits, tenant.windows, rates, priced,
        accounts=tenant.accounts(grant, ask.called, flexible=ask.flexible),
        call=document(grant, ask, priced, price_version=rates.version, trace=trace))
