"""Asks the ledger for its events and balances, with the caller's own key."""

import json
from datetime import date
from typing import Any

import httpx2

from eventing.event import Event
from eventing.http import STRUCTURED, decode
from functions.costs.events.sequence import Range
from shared.errors import Forbidden, Transient, Unauthorized


class LedgerEvents:
    """The ledger's published events, read with the caller's own key."""

    def __init__(self, url: str, client: httpx2.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def whole(self, authorization: str) -> tuple[str, Range]:
        """Return the current epoch and its sequence from 1 to the last number given.

        Raises:
            Transient, Unauthorized, Forbidden: as `between`.
        """
        body = await self.summary(authorization)
        return str(body["epoch"]), Range(1, int(body["events"]))

    async def summary(self, authorization: str) -> Any:
        """Return the totals of the caller's tenant: `tenant posted_nano held_nano epoch events`.

        Raises:
            Transient, Unauthorized, Forbidden: as `between`.
        """
        return await self._get("/v1/summary", authorization)

    async def budgets(self, authorization: str) -> Any:
        """Return the limits of the caller's tenant with their balances.

        Raises:
            Transient, Unauthorized, Forbidden: as `between`.
        """
        return await self._get("/v1/budgets", authorization)

    async def days(self, first: date, last: date, authorization: str) -> Any:
        """Return what the accounts of days hold, both ends included: `tenant zone days`.

        Raises:
            Transient, Unauthorized, Forbidden: as `between`.
        """
        within = {"from": first.isoformat(), "to": last.isoformat()}
        return await self._get("/v1/days", authorization, **within)

    async def between(self, epoch: str, wanted: Range, authorization: str) -> list[Event]:
        """Return the events of an epoch with these numbers, as far as the ledger has them.

        Raises:
            Transient: the ledger is away.
            Unauthorized, Forbidden: it does not let this caller read events.
        """
        body = await self._get("/v1/events", authorization, epoch=epoch, **{
            "from": str(wanted.first), "to": str(wanted.last)})
        return [_event(document) for document in body["events"]]

    async def _get(self, path: str, authorization: str, **query: str) -> Any:
        try:
            answer = await self._client.get(f"{self._url}{path}", params=query,
                                            headers={"authorization": authorization})
        except httpx2.HTTPError as error:
            raise Transient(f"ledger {self._url}: {type(error).__name__}: {error}") from error
        match answer.status_code:
            case 200:
                return _json(answer, path)
            case 401:
                raise Unauthorized("the ledger does not know this key")
            case 403:
                raise Forbidden("the ledger does not let this key read events")
            case status:
                raise Transient(f"the ledger answered {status} to GET {path}")


def _json(answer: httpx2.Response, path: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Transient(f"the ledger answered no JSON to GET {path}: {error}") from error


def _event(document: Any) -> Event:
    return decode({"content-type": STRUCTURED}, json.dumps(document).encode())
