"""Ends reservations and posts what they cost."""

import logging
from dataclasses import dataclass, replace
from typing import Any

from functions.ledger import keys
from functions.ledger.accounts import accounts_of
from functions.ledger.call import Facts, document, fingerprint, printed
from functions.ledger.cost import Priced, most, price
from functions.ledger.drafting import rates_of
from functions.ledger.packing import Form, pack
from functions.ledger.price_table import PriceTable
from functions.ledger.rates import Rates
from functions.ledger.remembered import Remembered
from functions.ledger.requests import AdjustBody, PostBody, SettleBody, UsageBody
from functions.ledger.reserving import Reservations, unknown
from functions.ledger.store import Attempts
from functions.ledger.windows import TTL_S
from shared.auth import Grant
from shared.clock import rfc3339
from shared.errors import Busy, NotFound, Permanent, TollgateError
from shared.limits import STATE_TTL_S
from shared.metering import Unpriced
from shared.store import mapped
from shared.telemetry import trace_id
from shared.usage import Usage

log = logging.getLogger(__name__)

USED = sorted(UsageBody.model_fields)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reservation is to end, as the script wants it."""

    how: str
    """settle, void, resolve, sweep"""
    holder: int = 0
    usd: int = 0
    tok: int = 0
    fingerprint: str = ""
    outcome: str = ""

    @property
    def money(self) -> tuple[str | int, ...]:
        """Return amounts, fingerprint and outcome: a settle's."""
        return self.usd, self.tok, self.fingerprint, self.outcome


class Endings:
    """The closing side of a reservation's life: settle, resolve, void, sweep, post, adjust."""

    def __init__(self, reservations: Reservations, form: Form = pack) -> None:
        self._of, self._form = reservations, form
        self._store = reservations.store
        self.ended = Remembered()
        """Rows that this process ended: their events need nothing else of them."""

    async def settle(self, tenant: str, reservation_id: str, body: SettleBody) -> dict[str, Any]:
        """Post the true cost; late, after a forfeit, it becomes an adjustment.

        Raises:
            NotFound: no such reservation. Permanent: settled before with another usage.
        """
        facts = await self._known(tenant, reservation_id)
        own = (await self._store.tenant(tenant)).limits.prices
        usage = body.usage.usage
        priced, rates, basis = self._priced(facts, body, usage, own)
        outcome = _outcome(body, usage, priced, version=rates.version, basis=basis)
        if priced.total_nano > facts.reserved_nano:
            log.error("reservation %s of tenant %s cost %d nano-USD, %d were reserved",
                      reservation_id, tenant, priced.total_nano, facts.reserved_nano)
        ending = Ending("settle", usd=priced.total_nano, tok=usage.total,
                        fingerprint=settled_print(body),
                        outcome=self._form(outcome, tenant, reservation_id))
        answer = await self._finish(tenant, reservation_id, replace(facts, outcome=outcome), ending)
        return _charge(reservation_id, answer, priced if answer[0] != "REPLAY" else None)

    async def end(self, tenant: str, reservation_id: str, how: str, holder: int) -> dict[str, Any]:
        """Void or resolve a reservation; one that has ended stays as it is.

        Raises:
            Busy: another holder has it. NotFound: no such reservation.
        """
        facts = await self._known(tenant, reservation_id)
        answer = await self._finish(tenant, reservation_id, facts, Ending(how, holder))
        if answer[0] == "BUSY":
            raise Busy(f"reservation {reservation_id} is held by {answer[1]}",
                       holder=int(answer[1]))
        return {"id": reservation_id, "state": answer[1], "charged_nano": int(answer[2])}

    async def sweep(self, tenant: str, reservation_id: str) -> bool:
        """End a reservation whose lease is over; false if it is not, or has ended."""
        facts = await self._of.facts(tenant, reservation_id)
        if facts is None:
            return False
        answer = await self._finish(tenant, reservation_id, facts, Ending("sweep"))
        return bool(answer[0] == "DONE")

    async def _known(self, tenant: str, reservation_id: str) -> Facts:
        facts = await self._of.facts(tenant, reservation_id)
        if facts is None:
            raise unknown(reservation_id)
        return facts

    async def _finish(self, tenant: str, reservation_id: str, facts: Facts,
                      ending: Ending) -> list[Any]:
        attempts = Attempts()
        while True:
            script_keys = [keys.sequence(tenant), keys.outbox(tenant), keys.leases(tenant),
                           keys.reservation(tenant, reservation_id),
                           *(keys.account(tenant, name) for name in facts.names)]
            args = [ending.how, ending.holder, facts.accounts, *ending.money, STATE_TTL_S,
                    facts.task_position, reservation_id,
                    facts.kept(self._form, tenant, reservation_id),
                    *await self._marks(tenant, facts)]
            answer = await self._store.run_numbered(tenant, "finish", script_keys, args)
            if answer[0] != "STALE":
                if answer[0] == "DONE":
                    self.ended.put(tenant, reservation_id, facts)
                return self._checked(tenant, reservation_id, answer)
            attempts.again()
            self._of.open.drop(tenant, reservation_id)
            facts = replace(await self._known(tenant, reservation_id), outcome=facts.outcome)

    def _checked(self, tenant: str, reservation_id: str, answer: list[Any]) -> list[Any]:
        match answer[0]:
            case "UNKNOWN":
                raise unknown(reservation_id)
            case "CONFLICT":
                raise Permanent(f"reservation {reservation_id} was settled with another usage",
                                code="conflict")
            case "TOO_LARGE":
                raise Permanent(f"account {answer[1]} would pass 2^53 - 1", code="too_large")
        self._of.open.drop(tenant, reservation_id)
        if answer[0] == "DONE" and answer[4]:
            log.error("the holds of tenant %s are below what reservation %s releases",
                      tenant, reservation_id)
        return answer

    async def _marks(self, tenant: str, facts: Facts) -> list[str]:
        limits = (await self._store.tenant(tenant)).limits
        if not limits.entries:
            return []
        found = [limits.of(*split(name)).marks for name in facts.names]
        return found if any(found) else []

    def _priced(self, facts: Facts, body: SettleBody, usage: Usage,
                own: PriceTable | None) -> tuple[Priced, Rates, str]:
        """Never refuse a price: what the answering model costs, else the model asked for."""
        model = facts.call.get("model")
        held = facts.call["most"]
        estimate = Priced(held["total_nano"], held["rounding_nano"], tuple(held["lines"]))
        if model is None:
            return estimate, Rates("", held["version"]), "contract"
        asked = f"{model['provider']}/{model['selected']}"
        answered = body.response_model or asked
        if "/" not in answered:
            answered = f"{model['provider']}/{answered}"
        for name, basis in ((answered, "response" if body.response_model else "requested"),
                            (asked, "requested")):
            try:
                rates = self._of.prices.model(name, usage.input_total, body.service_tier, own)
            except Unpriced:
                log.error("model %s answered and has no price: priced as %s", name, asked)
            else:
                _alarm_unpriced(usage, rates)
                return price(usage, rates), rates, basis
        return estimate, Rates(asked, held["version"]), "requested"

    async def post(self, grant: Grant, body: PostBody) -> dict[str, Any]:
        """Charge a finished call that has no reservation; the same again changes nothing.

        Raises:
            Permanent: the id belongs to another call. Unpriced: its price is unknown.
        """
        tenant = await self._store.tenant(grant.tenant)
        rates = rates_of(body, self._of.prices, tenant.limits)
        estimate = most(rates, body.input_tokens_max, body.output_tokens_max)
        call = document(grant, body, estimate, price_version=rates.version, trace=trace_id())
        accounts = accounts_of(grant, body.called, tenant.limits, tenant.windows)
        settled = body.settlement
        facts = Facts(accounts.names, call, 0)
        usage = settled.usage.usage
        priced, used, basis = self._priced(facts, settled, usage, tenant.limits.prices)
        name = grant.tenant
        answer = await self._store.run_numbered(name, "post", [
            keys.sequence(name), keys.outbox(name), keys.reservation(name, body.id),
            *(keys.account(name, a.name) for a in accounts.all),
        ], [
            body.id, printed([fingerprint(grant, body), settled_print(settled)]),
            priced.total_nano, usage.total, facts.accounts,
            facts.kept(self._form, name, body.id),
            self._form(_outcome(settled, usage, priced, version=used.version, basis=basis), name,
                       body.id), STATE_TTL_S,
            accounts.task_position, *(a.ttl_s for a in accounts.all),
            *await self._marks(name, facts)])
        return _charge(body.id, self._checked(name, body.id, [*answer, 0]), priced)

    async def cost(self, tenant: str, reservation_id: str) -> tuple[int, int] | None:
        """Return what an ended reservation costs now and its adjustments' count, if its row is."""
        with mapped():
            found: Any = await self._store.redis.hmget(
                keys.reservation(tenant, reservation_id), ["cost", "adjustments"])
        return (int(found[0]), int(found[1] or 0)) if found[0] is not None else None

    async def adjust(self, tenant: str, reservation_id: str, body: AdjustBody) -> dict[str, Any]:
        """Correct the cost of an ended reservation, once per key.

        Raises:
            NotFound, Busy (it is open), Permanent (below zero, or the key was used otherwise).
        """
        facts = await self._known(tenant, reservation_id)
        answer = await self._store.run_numbered(tenant, "adjust", [
            keys.sequence(tenant), keys.outbox(tenant), keys.reservation(tenant, reservation_id),
            *(keys.account(tenant, name) for name in facts.names),
        ], [reservation_id, body.key, body.delta_nano, body.reason, facts.accounts, STATE_TTL_S,
            *await self._marks(tenant, facts)])
        return _adjusted(reservation_id, answer)


def _alarm_unpriced(usage: Usage, rates: Rates) -> None:
    """Say which server tools were used whose price nobody knows: they are charged as nothing."""
    for name, count in usage.requests.items():
        if count and rates.request_price(name) is None:
            log.error("%s used %d requests of %s, whose price is unknown: add it to the tenant's "
                      "own prices and rerate", rates.sku, count, name)


def split(account: str) -> tuple[str, str]:
    """Return `scope|id` and the kind of window of an account's name."""
    scope, owner_id, window = account.split("|")[:3]
    return f"{scope}|{owner_id}", window if window in TTL_S else "life"


def settled_print(body: SettleBody) -> str:
    """Return what makes two settlements the same: what is charged, not when it was measured."""
    usage = {name: getattr(body.usage, name) for name in USED}
    usage["requests"] = dict(sorted(body.usage.requests.items()))
    return printed([usage, body.response_model, body.service_tier])


def _outcome(body: SettleBody, usage: Usage, priced: Priced, *, version: str,
             basis: str) -> dict[str, Any]:
    found = {
        "basis": usage.basis, "classes": {k: n for k, n in usage.classes.items() if n},
        "requests": dict(usage.requests) or None, "compute_ms": body.compute_ms or None,
        "response": body.response_model, "tier": body.service_tier,
        "finish": body.finish_reason, "error": body.error_type,
        "started": rfc3339(body.started) if body.started is not None else None,
        "ended": rfc3339(body.ended) if body.ended is not None else None,
        "streamed": body.streamed or None, "rounding": priced.rounding_nano,
        "lines": priced.lines, "version": version, "price_basis": basis}
    return {k: v for k, v in found.items() if v is not None}


def _charge(reservation_id: str, answer: list[Any], priced: Priced | None) -> dict[str, Any]:
    if answer[0] == "ALREADY":
        raise Permanent(f"reservation {reservation_id} was denied: there is nothing to settle",
                        code="conflict", state=answer[1])
    lines = [] if priced is None else list(priced.lines)
    return {"id": reservation_id, "state": answer[1], "total_nano": int(answer[2]),
            "tokens": int(answer[3]), "replayed": answer[0] == "REPLAY",
            "adjusted": answer[0] == "ADJUSTED", "lines": lines,
            "rounding_nano": priced.rounding_nano if priced else None}


def _adjusted(reservation_id: str, answer: list[Any]) -> dict[str, Any]:
    match answer:
        case ["OK" | "REPLAY" as how, n, total]:
            return {"id": reservation_id, "n": int(n), "total_nano": int(total),
                    "replayed": how == "REPLAY"}
        case ["OPEN", state]:
            raise Busy(f"reservation {reservation_id} is {state}: it cannot be adjusted")
        case ["TOO_LARGE", what]:
            raise Permanent(f"the cost {what} would pass 2^53 - 1", code="too_large")
        case ["BELOW_ZERO", total]:
            raise Permanent(f"the cost is {total} nano-USD and cannot go below 0")
        case ["CONFLICT"]:
            raise Permanent("the key was used for another correction", code="conflict")
        case ["UNKNOWN"]:
            raise NotFound(f"no reservation {reservation_id}")
    raise TollgateError(f"unexpected answer of the script: {answer}")
