"""Looks after the rollouts of one namespace: collects, judges, moves traffic, tells.

The Service's annotation is the truth; what this process knows is a cache of seconds. Every write
is conditional, and a lost race is left to the next look.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from eventing.event import Event
from eventing.publish import Publisher
from functions.rollouts.act import announcement, judged, patch_of
from functions.rollouts.cluster import Services
from functions.rollouts.facts import arms, fact_of
from functions.rollouts.samples import Samples
from shared.clock import Clock
from shared.errors import Busy, NotFound, TollgateError
from shared.limits import ROLLOUT_LIST_FRESH_S
from shared.rollouts.moves import written
from shared.rollouts.plan import Phase, Rollout

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A Service with its rollout, as they were read."""

    service: dict[str, Any]
    rollout: Rollout

    @property
    def name(self) -> str:
        """Return the function's name."""
        return str(self.service["metadata"]["name"])


@dataclass(slots=True)
class Rounds:
    """The function's work; several may run at once."""

    services: Services
    samples: Samples
    publisher: Publisher
    clock: Clock
    _seen: list[Found] = field(default_factory=list)
    _seen_at: float = float("-inf")

    async def receive(self, event: Event) -> None:
        """Keep what an event says for running rollouts, and look if it is time.

        Raises:
            Transient: Redis or the API server is away: a redelivery counts it, once.
        """
        for found in await self._running():
            fact = fact_of(event, found.name, found.rollout, self.clock())
            if fact is None:
                continue
            await self.samples.record(found.rollout.id, fact)
            if await self.samples.is_time(found.rollout.id):
                await self._looked_after(found.name)

    async def go(self) -> Counter[str]:
        """Look after every rollout; return how many are in which phase after it.

        One Service's failure does not keep the others waiting: it is logged and counted.
        """
        done: Counter[str] = Counter()
        async for found in self._listed():
            try:
                done[(await self._round(found)).phase] += 1
            except TollgateError as error:
                log.warning("rollout of %s is put off: %s", found.name, error.detail)
                done["put_off"] += 1
        return done

    async def _running(self) -> list[Found]:
        if self.clock() - self._seen_at >= ROLLOUT_LIST_FRESH_S:
            self._seen = [f async for f in self._listed() if f.rollout.phase is Phase.RUNNING]
            self._seen_at = self.clock()
        return self._seen

    async def _listed(self) -> AsyncIterator[Found]:
        for service in await self.services.all():
            try:
                rollout = Rollout.of(service)
            except TollgateError as error:
                log.warning("%s", error.detail)
                continue
            if rollout is not None:
                yield Found(service, rollout)

    async def _looked_after(self, name: str) -> None:
        """Judge one rollout by its present state; a lost race is left to the next look."""
        async for found in self._listed():
            if found.name == name and found.rollout.phase is Phase.RUNNING:
                try:
                    await self._told(await self._judged(await self._told(found),
                                                        is_round=False))
                except (Busy, NotFound) as error:
                    log.info("rollout of %s changed meanwhile: %s", name, error.detail)

    async def _round(self, found: Found) -> Rollout:
        found = await self._told(found)
        if found.rollout.phase is Phase.RUNNING:
            found = await self._told(await self._judged(found, is_round=True))
        return found.rollout

    async def _judged(self, found: Found, *, is_round: bool) -> Found:
        known = await self.samples.known(found.rollout.id)
        now = self.clock()
        after = judged(found.rollout, arms(known, found.rollout, now), now)
        patch = patch_of(found.service, found.rollout, after, is_round=is_round)
        return found if patch is None else await self._patched(found, patch)

    async def _told(self, found: Found) -> Found:
        """Publish the event of a new phase, then write down that it is told: at least once."""
        event = announcement(found.name, self.services.namespace, found.rollout)
        if event is None:
            return found
        await self.publisher.publish(event)
        log.info("rollout %s of %s is %s: %s", found.rollout.id, found.name,
                 found.rollout.phase, found.rollout.reason)
        told = found.rollout.but(announced=found.rollout.phase)
        return await self._patched(found, written(found.service, told))

    async def _patched(self, found: Found, patch: dict[str, Any]) -> Found:
        service = await self.services.patch(found.name, patch)
        rollout = Rollout.of(service)
        self._seen_at = float("-inf")
        return Found(service, rollout) if rollout else found
