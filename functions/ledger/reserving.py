"""Holds money, and says who may call."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from functions.ledger import keys
from functions.ledger.call import FIXED, Facts
from functions.ledger.drafting import Draft, draft, rates_of
from functions.ledger.escrow import Escrow
from functions.ledger.limits import UNITS
from functions.ledger.prices import PriceBook
from functions.ledger.rates import Rates
from functions.ledger.remembered import Remembered
from functions.ledger.requests import CallBody, ExtendBody, HolderBody, ReserveBody
from functions.ledger.store import Attempts, Store, Tenant
from functions.ledger.windows import TTL_S, ends_at
from shared.amounts import amount
from shared.auth import Grant
from shared.errors import Busy, NotFound, Permanent, TollgateError
from shared.limits import DRAWS_MAX
from shared.metering import Denied
from shared.store import mapped
from shared.telemetry import trace_id

ASK_AGAIN = ("STALE", "SHORT", "NO_EPOCH")
"""Answers of the script that are none yet."""


class Reservations:
    """The open side of a reservation's life: reserve, dispatch, extend, read."""

    def __init__(self, store: Store, prices: PriceBook, escrow: Escrow) -> None:
        self.store, self.prices = store, prices
        self._escrow = escrow
        self.open = Remembered()
        """Rows that this process made: their settle needs one round trip."""

    async def reserve(self, grant: Grant, ask: ReserveBody) -> dict[str, Any]:
        """Hold the most the call can cost on all its accounts; the same again, the same answer.

        Raises:
            Denied: an account has no room. Busy: another holder has it. Unpriced, Permanent
            (the id was used for another call), Unavailable (Redis is away).
        """
        drafted = self._draft(grant, ask, await self._tenant(grant, (ask,)))
        attempts, draws = Attempts(), Attempts(DRAWS_MAX)
        while True:
            answer = await self.store.run_numbered(grant.tenant, "reserve", *drafted.arguments())
            match answer[0]:
                case "STALE":
                    attempts.again()
                    drafted = self._draft(grant, ask, await self.store.reload(grant.tenant))
                case "SHORT":
                    draws.again()
                    drafted = await self._topped_up(drafted, answer[1], int(answer[2]))
                case _:
                    return self._told(drafted, answer)

    async def reserve_each(self, grant: Grant,
                           asks: Sequence[ReserveBody]) -> list[dict[str, Any] | TollgateError]:
        """Reserve several calls in one round trip, each by itself: its answer or its error.

        Raises:
            Unavailable: Redis is away.
        """
        tenant = await self._tenant(grant, asks)
        found: list[dict[str, Any] | TollgateError | Draft] = [
            _or_error(lambda ask=ask: self._draft(grant, ask, tenant))  # type: ignore[misc]
            for ask in asks]
        drafts = [drafted for drafted in found if isinstance(drafted, Draft)]
        answers = iter(await self.store.run_each("reserve", [d.arguments() for d in drafts]))
        return [await self._answered(drafted, next(answers)) if isinstance(drafted, Draft)
                else drafted for drafted in found]

    async def _answered(self, drafted: Draft,
                        answer: list[Any]) -> dict[str, Any] | TollgateError:
        try:
            if answer[0] in ASK_AGAIN:
                return await self.reserve(drafted.grant, drafted.ask)
            return self._told(drafted, answer)
        except (Permanent, Busy) as error:
            return error

    async def rates(self, tenant: str, ask: CallBody) -> Rates:
        """Return what a call costs a tenant.

        Raises:
            Unpriced: nobody knows its price.
        """
        return rates_of(ask, self.prices, (await self.store.tenant(tenant)).limits)

    async def _tenant(self, grant: Grant, asks: Sequence[ReserveBody]) -> Tenant:
        """Return what is known; read again if it stops a call: it may have been lifted.

        A reservation that there is already passes: its caller asks again, and may have been sent.
        """
        known = await self.store.tenant(grant.tenant)
        if not any(known.stops.of(grant, ask) for ask in asks):
            return known
        fresh = await self.store.reload(grant.tenant)
        there = [ask.id for ask in asks if fresh.stops.of(grant, ask)
                 and await self.facts(grant.tenant, ask.id) is not None]
        return replace(fresh, stops=fresh.stops.but(there))

    def _draft(self, grant: Grant, ask: ReserveBody, tenant: Tenant) -> Draft:
        tenant.stops.refuse(grant, ask)
        return draft(grant, ask, self.prices, tenant=tenant, trace=trace_id())

    async def _topped_up(self, drafted: Draft, account: str, need: int) -> Draft:
        """Take chunks of a cap; without any left its account is limited by what it has."""
        cap = drafted.cap(account)
        if await self._escrow.draw(drafted.grant.tenant, cap, account, need):
            return drafted
        return drafted.without_chunks(account)

    def _told(self, drafted: Draft, answer: list[Any]) -> dict[str, Any]:
        ask = drafted.ask
        if answer[0] == "HELD" and answer[5] == 0:
            self.open.put(drafted.grant.tenant, ask.id, drafted.facts)
        if answer[0] == "DENIED":
            raise denied(drafted, answer[1:])
        return held(ask.id, answer)

    async def dispatch(self, tenant: str, reservation_id: str, body: HolderBody) -> dict[str, Any]:
        """Give the permission to call, once.

        Raises:
            Busy: given before, held by another, or ended. NotFound: no such reservation.
        """
        expires = await self._hold(tenant, reservation_id, "dispatch", holder=body.holder,
                                   last=body.ticket)
        return {"id": reservation_id, "state": "PENDING", "dispatched": True, "expires": expires}

    async def extend(self, tenant: str, reservation_id: str, body: ExtendBody) -> dict[str, Any]:
        """Set the end of the lease to `lease_s` from now.

        Raises:
            Busy: held by another, or ended. NotFound: no such reservation.
        """
        lease_ms = int(body.lease_s * 1000)
        expires = await self._hold(tenant, reservation_id, "extend", holder=body.holder,
                                   last=lease_ms)
        return {"id": reservation_id, "state": "PENDING", "expires": expires}

    async def _hold(self, tenant: str, reservation_id: str, how: str, *, holder: int,
                    last: str | int) -> float:
        script_keys = [keys.leases(tenant), keys.reservation(tenant, reservation_id)]
        answer = await self.store.run("hold", script_keys, [how, reservation_id, holder, last])
        match answer[0]:
            case "OK":
                return int(answer[1]) / 1000
            case "BUSY":
                raise Busy(f"reservation {reservation_id} is {answer[2]}, held by {answer[1]}, "
                           f"{'dispatched' if answer[3] == '1' else 'not dispatched'}",
                           holder=int(answer[1] or 0), state=answer[2], sent=answer[3] == "1")
        raise unknown(reservation_id)

    async def read(self, tenant: str, reservation_id: str) -> dict[str, Any]:
        """Return the state of a reservation.

        Raises:
            NotFound: no such reservation.
        """
        with mapped():
            row: Any = await self.store.redis.hgetall(keys.reservation(tenant, reservation_id))
        if not row:
            raise unknown(reservation_id)
        facts = Facts.stored((row.get("accounts"), row.get("call"), "0"), tenant, reservation_id)
        return {
            "id": reservation_id, "state": row["state"], "holder": int(row.get("holder", 0)),
            "dispatched": row.get("sent") == "1", "reserved_nano": int(row.get("usd", 0)),
            "charged_nano": int(row.get("cost", 0)), "expires": int(row.get("expires", 0)) / 1000,
            "accounts": facts.names if facts else [], "adjustments": int(
                row.get("adjustments", 0)), "unreserved": "unreserved" in row}

    async def facts(self, tenant: str, reservation_id: str) -> Facts | None:
        """Return a row's fixed part, from memory or Redis; `None` if there is no row."""
        if (known := self.open.get(tenant, reservation_id)) is not None:
            return known
        with mapped():
            row: Any = await self.store.redis.hmget(
                keys.reservation(tenant, reservation_id), FIXED)
        return Facts.stored(row, tenant, reservation_id)


def held(reservation_id: str, answer: list[Any]) -> dict[str, Any]:
    """Return the HTTP answer to a reserve out of the script's.

    Raises:
        Denied, Busy, Permanent: as the script says.
    """
    found: dict[str, Any] = {"id": reservation_id, "adopted": False, "replayed": True,
                             "dispatched": False, "charged_nano": 0, "headroom": {}}
    match answer[0], answer[1:]:
        case "HELD", [expires, reserved, rooms, adopted, replayed, dispatched]:
            room = zip(UNITS, rooms.split(" "), strict=True)
            return found | {
                "state": "PENDING", "expires": int(expires) / 1000, "reserved_nano": int(reserved),
                "headroom": {unit: int(left) for unit, left in room if left},
                "adopted": bool(adopted), "replayed": bool(replayed),
                "dispatched": bool(dispatched)}
        case "ENDED", [state, charged, expires, reserved]:
            return found | {"state": state, "charged_nano": int(charged),
                            "expires": int(expires) / 1000, "reserved_nano": int(reserved)}
        case outcome, rest:
            raise _refused(reservation_id, outcome, rest)


def denied(drafted: Draft, answer: list[str]) -> Denied:
    """Return why a call was denied, and what may help: a smaller cap, another window, a pause."""
    account, unit, need, have, reason = answer
    ends = ends_at(_window(account), drafted.windows.from_ms / 1000, drafted.limits.zone)
    return Denied(
        f"account {account} has {amount(unit, int(have))} left, "
        f"{amount(unit, int(need))} needed ({reason})",
        account=account, unit=unit, need=int(need), have=int(have), reason=reason,
        policy=drafted.limits.policy(account, unit), window_ends=ends,
        output_tokens_fitting=drafted.output_fitting(unit, int(have)))


def _window(account: str) -> str:
    kind = account.split("|")[2]
    return kind if kind in TTL_S else "life"


def _or_error(make: Callable[[], Draft]) -> Draft | TollgateError:
    try:
        return make()
    except Permanent as error:
        return error


def _refused(reservation_id: str, outcome: str, rest: list[Any]) -> TollgateError:
    match outcome, rest:
        case "BUSY", [holder, sent]:
            return Busy(f"reservation {reservation_id} is held by {holder}",
                        holder=int(holder), sent=sent == "1")
        case "CONFLICT", _:
            return Permanent(f"reservation {reservation_id} was made for another call",
                             code="conflict")
        case "TOO_LARGE", [account]:
            return Permanent(f"account {account} would pass 2^53 - 1", code="too_large")
    return TollgateError(f"unexpected answer of the script: {outcome}")


def unknown(reservation_id: str) -> NotFound:
    """Return the error of a reservation that is not there."""
    return NotFound(f"no reservation {reservation_id}", code="unknown_reservation")
