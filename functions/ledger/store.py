"""Runs the ledger's scripts and keeps each tenant's limits in memory."""

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import getpid
from pathlib import Path
from typing import Any

from functions.ledger import keys
from functions.ledger.accounts import Accounts, accounts_of
from functions.ledger.limits import Limits
from functions.ledger.stops import Stops
from functions.ledger.windows import Windows, windows_at
from shared.auth import Grant
from shared.clock import Clock, now_s
from shared.errors import Transient
from shared.faults import FaultPoint, reach
from shared.limits import STALE_RETRIES_MAX, TENANT_CACHE_S
from shared.store import Redis, Script, Value, mapped

log = logging.getLogger(__name__)
LUA = Path(__file__).parent / "lua"
CONSUMER = f"{socket.gethostname()}-{getpid()}"


ACCOUNTS_KNOWN_MAX = 512
"""Sets of accounts remembered of one tenant: some 2 KiB each."""

NUMBERING = ("reserve", "finish", "post", "adjust")
"""Scripts that number events: they share their beginning."""


def scripts(folder: Path) -> dict[str, Script]:
    """Return the scripts of a folder by name."""
    before = (folder / "preamble.lua").read_text()
    return {path.stem: Script(path, before if path.stem in NUMBERING else "")
            for path in folder.glob("*.lua") if path.stem != "preamble"}


@dataclass(slots=True)
class Tenant:
    """What is known of a tenant without asking Redis; the scripts say when it is old."""

    limits: Limits
    windows: Windows
    read_at: float
    """By this process's clock, in seconds."""
    stops: Stops = field(default_factory=Stops)
    _accounts: dict[tuple[Grant, str, bool], Accounts] = field(default_factory=dict)

    def moved(self, windows: Windows) -> None:
        """Take the windows of another hour."""
        self.windows = windows
        self._accounts.clear()

    def accounts(self, grant: Grant, called: str, *, flexible: bool) -> Accounts:
        """Return the accounts of a call; a task's calls mostly have the same ones."""
        key = (grant, called, flexible)
        if (known := self._accounts.get(key)) is not None:
            return known
        if len(self._accounts) >= ACCOUNTS_KNOWN_MAX:
            self._accounts.clear()
        found = accounts_of(grant, called, self.limits, self.windows, flexible=flexible)
        return self._accounts.setdefault(key, found)


class Store:
    """The tenants' accounts in Redis."""

    def __init__(self, redis: Redis, clock: Clock = now_s) -> None:
        self.redis = redis
        self._clock = clock
        self._offset_s = 0.0
        self._tenants: dict[str, Tenant] = {}
        self.scripts = scripts(LUA)

    async def tenant(self, name: str) -> Tenant:
        """Return limits and windows of now, from memory if they are still right."""
        found = self._tenants.get(name)
        if found is None or self._clock() - found.read_at > TENANT_CACHE_S:
            return await self.reload(name)
        now = self._clock() + self._offset_s
        if int(now * 1000) not in found.windows:
            found.moved(windows_at(now, found.limits.zone))
        return found

    async def reload(self, name: str) -> Tenant:
        """Read a tenant's limits and Redis's clock again.

        Raises:
            Unavailable: Redis is away.
        """
        with mapped():
            await self.redis.sadd(keys.TENANTS, name)
            fields: Any = await self.redis.hgetall(keys.limits(name))
            # After the version of the limits: a stop that is placed meanwhile raises it.
            stops = await self.stops()
            seconds, micros = await self.redis.time()
        now = seconds + micros / 1e6
        self._offset_s = now - self._clock()
        limits = Limits.parse(fields)
        found = Tenant(limits, windows_at(now, limits.zone), self._clock(), stops)
        self._tenants[name] = found
        return found

    async def stops(self) -> Stops:
        """Read all stops.

        Raises:
            Unavailable: Redis is away.
        """
        with mapped():
            fields: Any = await self.redis.hgetall(keys.STOPS)
        return Stops.parse(fields)

    async def run(self, script: str, script_keys: Sequence[str],
                  args: Sequence[Value]) -> list[Any]:
        """Run one script; the fault points around it are the ledger's two moments of truth."""
        await reach(FaultPoint.LEDGER_BEFORE_SCRIPT)
        answer: list[Any] = await self.scripts[script](self.redis, script_keys, args)
        await reach(FaultPoint.LEDGER_AFTER_SCRIPT)
        return answer

    async def run_each(self, script: str,
                       calls: Sequence[tuple[Sequence[str], Sequence[Value]]]) -> list[Any]:
        """Run one script for every (keys, arguments), in one round trip; see `Script.each`."""
        await reach(FaultPoint.LEDGER_BEFORE_SCRIPT)
        answers = await self.scripts[script].each(self.redis, calls)
        await reach(FaultPoint.LEDGER_AFTER_SCRIPT)
        return answers

    async def now(self) -> float:
        """Return Redis's time, in seconds since the epoch."""
        with mapped():
            seconds, micros = await self.redis.time()
        return float(seconds) + micros / 1e6

    async def run_numbered(self, tenant: str, script: str, script_keys: Sequence[str],
                           args: Sequence[Value]) -> list[Any]:
        """Run a script that numbers an event; a tenant's first one begins an epoch."""
        answer = await self.run(script, script_keys, args)
        if answer[0] == "NO_EPOCH":
            await self.begin_epoch(tenant)
            answer = await self.run(script, script_keys, args)
        return answer

    async def begin_epoch(self, tenant: str) -> None:
        """Start numbering at 1 under a new, higher epoch; harmless if another did it first."""
        with mapped():
            await self.redis.sadd(keys.TENANTS, tenant)
            seconds, micros = await self.redis.time()
            last: Any = await self.redis.xrevrange(keys.outbox(tenant), count=1)
            before = int(last[0][0].split("-")[0]) if last else 0
            epoch = max(seconds * 1000 + micros // 1000, before + 1)
            new = await self.redis.hsetnx(keys.sequence(tenant), "epoch", str(epoch))
        if new and before:
            log.error("the sequence of tenant %s was lost: epoch %s follows %s",
                      tenant, epoch, before)

    async def end_epoch(self, tenant: str, epoch: str) -> str:
        """Number on from 1 under a higher epoch, if `epoch` still runs; return which one runs.

        For a sequence that lost numbers and gave them again: consumers then know which is which.
        """
        later = str(max(int(await self.now() * 1000), int(epoch) + 1))
        if await self.run_one("epoch", [keys.sequence(tenant)], [epoch, later]):
            log.error("epoch %s of tenant %s was ended: %s follows", epoch, tenant, later)
        with mapped():
            found: Any = await self.redis.hget(keys.sequence(tenant), "epoch")
        return found or "0"

    async def run_one(self, script: str, script_keys: Sequence[str],
                      args: Sequence[Value]) -> bool:
        """Run a script that answers 1 or 0."""
        return bool(await self.scripts[script](self.redis, script_keys, args))

    async def tenants(self) -> list[str]:
        """Return every tenant with work, in order."""
        with mapped():
            found: Any = await self.redis.smembers(keys.TENANTS)
        return sorted(found)


class Attempts:
    """Counts how often a script found what this process knows, or took for a call, too old."""

    def __init__(self, most: int = STALE_RETRIES_MAX) -> None:
        self._left = most

    def again(self) -> None:
        """Count one.

        Raises:
            Transient: it was the last one.
        """
        self._left -= 1
        if self._left < 0:
            raise Transient("limits change faster than they can be read: ask again")
