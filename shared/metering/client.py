"""Speaks the ledger's HTTP API; every request may be repeated without harm."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx2

from shared.errors import Busy, Malformed, Permanent, TollgateError, Unauthorized
from shared.limits import (
    LEDGER_ATTEMPTS_MAX,
    LEDGER_TIMEOUT_S,
    RESERVE_BATCH_MAX,
    SETTLE_ATTEMPTS_MAX,
)
from shared.metering.calls import Call, Charge, Hold, Outcome, Settlement, TaskUsage
from shared.metering.errors import Denied, Unavailable, Unknown, Unpriced
from shared.metering.permit import Permit, issue
from shared.retries import retried
from shared.telemetry import traceparent

GRANT_HEADER = "tollgate-grant"


class Meter:
    """The ledger as its callers see it."""

    def __init__(self, ledger_url: str, client: httpx2.AsyncClient) -> None:
        self._url = ledger_url.rstrip("/")
        self._client = client

    async def hold(self, call: Call, *, dispatch: bool = False) -> Hold:
        """Reserve the most that the call can cost; the same call again gives the same answer.

        Raises:
            Denied: an account has no room. Busy: another holder has it.
            Unpriced: the price is unknown. Unavailable: the ledger is away.
            Unauthorized: the grant is forged or over.
        """
        found = await self._send("POST", "/v1/reservations", call.grant, _asked(call, dispatch))
        return _held(found)

    async def hold_each(self, calls: Sequence[Call], *,
                        dispatch: bool = False) -> list[Hold | TollgateError]:
        """Reserve for several calls of one task, each by itself; `RESERVE_BATCH_MAX` a request.

        Returns what `hold` would return or raise for each, in order.

        Raises:
            ValueError: the calls have more than one grant, or there is none.
            Unavailable: the ledger is away; the same calls again give the same answers.
            Unauthorized: the grant is forged or over.
        """
        grant, *others = {call.grant for call in calls} or {""}
        if others or not grant:
            raise ValueError("all calls of a batch have one grant, the same")
        found: list[Hold | TollgateError] = []
        for first in range(0, len(calls), RESERVE_BATCH_MAX):
            asked = [_asked(call, dispatch) for call in calls[first:first + RESERVE_BATCH_MAX]]
            answer = await self._send("POST", "/v1/reservations:batch", grant,
                                      {"reservations": asked})
            found += [_error(each["problem"]) if "problem" in each else _held(each)
                      for each in answer["reservations"]]
        return found

    async def dispatch(self, reservation_id: str, holder: int, *, grant: str) -> Permit:
        """Return the permission to call: a compare-and-set that succeeds once.

        Raises:
            Busy: dispatched before, held by another, or ended. Unknown: no such reservation.
        """
        body = {"holder": holder, "ticket": uuid4().hex}
        await self._send("POST", f"/v1/reservations/{reservation_id}/dispatch", grant, body)
        return issue(reservation_id)

    async def settle(self, reservation_id: str, settlement: Settlement, *, grant: str) -> Charge:
        """Post the true cost; the same settlement again gives the same answer.

        Raises:
            Unknown: Redis lost the reservation: `post` it if it was dispatched lately.
            Permanent: it was settled with another usage.
        """
        found = await self._patiently(f"/v1/reservations/{reservation_id}/settle", grant,
                                      asdict(settlement))
        return _charge(found)

    async def resolve(self, reservation_id: str, holder: int, *, grant: str) -> Outcome:
        """End it with an unknown outcome: void if it was never dispatched, else forfeit.

        Raises:
            Busy: a holder with a higher token has it. Unknown: no such reservation.
        """
        return await self._end(reservation_id, "resolve", holder, grant)

    async def void(self, reservation_id: str, holder: int, *, grant: str) -> Outcome:
        """End it at no cost: the call never left, or was definitely refused without usage.

        Raises:
            Busy: another holder has it. Unknown: no such reservation.
        """
        return await self._end(reservation_id, "void", holder, grant)

    async def extend(self, reservation_id: str, holder: int, lease_s: float, *,
                     grant: str) -> float:
        """Return the new end of the lease, `lease_s` from now.

        Raises:
            Busy: another holder has it, or it has ended. Unknown: no such reservation.
        """
        found = await self._send("POST", f"/v1/reservations/{reservation_id}/extend", grant,
                                 {"holder": holder, "lease_s": lease_s})
        return float(found["expires"])

    async def post(self, call: Call, settlement: Settlement) -> Charge:
        """Charge a finished call that has no reservation (marked `unreserved`); replay-safe."""
        body = asdict(call)
        grant = body.pop("grant")
        body |= {"settlement": asdict(settlement)}
        return _charge(await self._patiently("/v1/postings", grant, body))

    async def usage(self, task: str, grant: str) -> TaskUsage:
        """Return what the task and its sub-tasks have posted and hold."""
        return TaskUsage(**await self._send("GET", f"/v1/usage?task={task}", grant, None))

    async def _end(self, reservation_id: str, how: str, holder: int, grant: str) -> Outcome:
        found = await self._send("POST", f"/v1/reservations/{reservation_id}/{how}", grant,
                                 {"holder": holder})
        return Outcome(found["state"], found["charged_nano"])

    async def _send(self, method: str, path: str, grant: str,
                    body: Mapping[str, Any] | None) -> Any:
        """Ask, again if that may help, within the time of one call: what is held must not wait."""
        try:
            async with asyncio.timeout(LEDGER_TIMEOUT_S):
                return await retried(lambda: self._once(method, path, grant, body), Unavailable,
                                     attempts=LEDGER_ATTEMPTS_MAX, wait_max_s=LEDGER_TIMEOUT_S)
        except TimeoutError as error:
            raise Unavailable(f"ledger: no answer within {LEDGER_TIMEOUT_S:g} s") from error

    async def _patiently(self, path: str, grant: str, body: Mapping[str, Any]) -> Any:
        return await retried(lambda: self._once("POST", path, grant, body), Unavailable,
                             attempts=SETTLE_ATTEMPTS_MAX, wait_max_s=LEDGER_TIMEOUT_S)

    async def _once(self, method: str, path: str, grant: str,
                    body: Mapping[str, Any] | None) -> Any:
        headers = {GRANT_HEADER: grant}
        if parent := traceparent():
            headers["traceparent"] = parent
        try:
            answer = await self._client.request(
                method, self._url + path, json=body, headers=headers, timeout=LEDGER_TIMEOUT_S)
        except httpx2.HTTPError as error:
            raise Unavailable(f"ledger: {type(error).__name__}: {error}") from error
        if answer.is_success:
            return answer.json()
        raise _failure(answer)


def _asked(call: Call, dispatch: bool) -> dict[str, Any]:
    """Return a reserve as the ledger reads it; the grant travels in a header."""
    body = asdict(call) | {"dispatch": dispatch, "ticket": uuid4().hex}
    del body["grant"]
    return body


def _held(found: Mapping[str, Any]) -> Hold:
    return Hold(
        state=found["state"], expires=found["expires"], headroom=found["headroom"],
        reserved_nano=found["reserved_nano"], adopted=found["adopted"],
        replayed=found["replayed"], charged_nano=found["charged_nano"],
        permit=issue(found["id"]) if found["dispatched"] else None,
    )


def _charge(found: Mapping[str, Any]) -> Charge:
    return Charge(state=found["state"], total_nano=found["total_nano"], tokens=found["tokens"],
                  replayed=found["replayed"])


_ERRORS: Mapping[int, type[TollgateError]] = {
    HTTPStatus.BAD_REQUEST: Malformed,
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.PAYMENT_REQUIRED: Denied,
    HTTPStatus.NOT_FOUND: Unknown,
    HTTPStatus.CONFLICT: Busy,
}


def _failure(answer: httpx2.Response) -> TollgateError:
    """Return the error of a problem answer; what is no such answer means the ledger is away."""
    try:
        return _error({**answer.json(), "status": answer.status_code})
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"ledger answered {answer.status_code} without problem details")


def _error(problem: Mapping[str, Any]) -> TollgateError:
    """Return the error that problem details tell of.

    Raises:
        KeyError: they have no detail or no status.
    """
    detail, status = str(problem["detail"]), problem["status"]
    extra = {k: v for k, v in problem.items()
             if k not in ("type", "title", "detail", "status", "trace_id")}
    if problem.get("title") == Unpriced.title:
        return Unpriced(detail, **extra)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"ledger: {detail}")
    return _ERRORS.get(status, Permanent)(detail, **extra)
