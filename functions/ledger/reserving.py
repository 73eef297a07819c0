"""Holds money, and says who may call."""

from collections import OrderedDict
from typing import Any

from functions.ledger import keys
from functions.ledger.accounts import Accounts, accounts_of
from functions.ledger.call import Facts, document, fingerprint, packed
from functions.ledger.cost import most
from functions.ledger.limits import UNITS
from functions.ledger.prices import PriceBook, Rates
from functions.ledger.requests import CallBody, ExtendBody, HolderBody, ReserveBody
from functions.ledger.store import Attempts, Store, Tenant
from shared.auth import Grant
from shared.errors import Busy, NotFound, Permanent, TollgateError
from shared.limits import STATE_TTL_S
from shared.metering import Denied
from shared.store import mapped
from shared.telemetry import trace_id

FACTS_MAX = 2_000
"""Rows whose fixed part this process remembers, so that a settle needs one round trip."""


class Reservations:
    """The open side of a reservation's life: reserve, dispatch, extend, read."""

    def __init__(self, store: Store, prices: PriceBook) -> None:
        self.store, self.prices = store, prices
        self._facts: OrderedDict[str, Facts] = OrderedDict()

    def rates(self, ask: CallBody) -> Rates:
        """Return the rates of what is to be called.

        Raises:
            Unpriced: nobody knows its price.
        """
        if ask.tool is not None:
            return self.prices.tool(ask.tool, ask.tool_version)
        return self.prices.model(ask.model or "", ask.input_tokens_max)

    async def reserve(self, grant: Grant, ask: ReserveBody) -> dict[str, Any]:
        """Hold the most the call can cost on all its accounts; the same again, the same answer.

        Raises:
            Denied: an account has no room. Busy: another holder has it. Unpriced, Permanent
            (the id was used for another call), Unavailable (Redis is away).
        """
        rates = self.rates(ask)
        priced = most(rates, ask.input_tokens_max, ask.output_tokens_max)
        call = document(grant, ask, priced, price_version=rates.version, trace=trace_id())
        tenant, attempts = await self.store.tenant(grant.tenant), Attempts()
        while True:
            accounts = accounts_of(grant, ask.called, tenant.limits, tenant.windows)
            answer = await self._ask(grant, ask, tenant, accounts=accounts,
                                     reserved_nano=priced.total_nano, call=packed(call))
            if answer[0] != "STALE":
                break
            attempts.again()
            tenant = await self.store.reload(grant.tenant)
        if answer[0] == "HELD" and answer[5] == 0:
            self.remember(grant.tenant, ask.id, Facts(accounts.names, call, priced.total_nano))
        return held(ask.id, answer)

    async def _ask(self, grant: Grant, ask: ReserveBody, tenant: Tenant, *, accounts: Accounts,
                   reserved_nano: int, call: str) -> list[Any]:
        name = grant.tenant
        script_keys = [
            keys.limits(name), keys.sequence(name), keys.outbox(name), keys.leases(name),
            keys.reservation(name, ask.id), *(keys.account(name, a.name) for a in accounts.all)]
        args = [
            tenant.limits.version, tenant.windows.from_ms, tenant.windows.until_ms, ask.id,
            fingerprint(grant, ask), ask.holder, int(ask.lease_s * 1000), reserved_nano,
            ask.input_tokens_max + ask.output_tokens_max, 1, accounts.names, call,
            int(ask.dispatch), ask.ticket, STATE_TTL_S, accounts.task_position,
            *(a.held for a in accounts.all)]
        return await self.store.run_numbered(name, "reserve", script_keys, args)

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
        return {
            "id": reservation_id, "state": row["state"], "holder": int(row.get("holder", 0)),
            "dispatched": row.get("sent") == "1", "reserved_nano": int(row.get("usd", 0)),
            "charged_nano": int(row.get("cost", 0)), "expires": int(row.get("expires", 0)) / 1000,
            "accounts": row.get("accounts", "").split(), "adjustments": int(
                row.get("adjustments", 0)), "unreserved": "unreserved" in row}

    def remember(self, tenant: str, reservation_id: str, facts: Facts) -> None:
        """Keep a row's fixed part; the oldest is forgotten."""
        self._facts[keys.reservation(tenant, reservation_id)] = facts
        if len(self._facts) > FACTS_MAX:
            self._facts.popitem(last=False)

    def forget(self, tenant: str, reservation_id: str) -> None:
        """Drop what is remembered of a row."""
        self._facts.pop(keys.reservation(tenant, reservation_id), None)

    async def facts(self, tenant: str, reservation_id: str) -> Facts | None:
        """Return a row's fixed part, from memory or Redis; `None` if there is no row."""
        key = keys.reservation(tenant, reservation_id)
        if (known := self._facts.get(key)) is not None:
            return known
        with mapped():
            row: Any = await self.store.redis.hmget(key, ["accounts", "call", "usd"])
        return Facts.stored(row)


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


def _refused(reservation_id: str, outcome: str, rest: list[Any]) -> TollgateError:
    match outcome, rest:
        case "DENIED", [account, unit, need, have, reason]:
            return Denied(f"account {account} has {have} {unit} left and {need} are needed "
                          f"({reason})", account=account, unit=unit, need=int(need),
                          have=int(have), reason=reason)
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
