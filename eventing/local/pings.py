"""Fires PingSources: an event straight into a Service at each minute of the schedule."""

import asyncio
import time
from dataclasses import dataclass
from uuid import uuid4

from eventing.event import Event
from eventing.local import cron
from eventing.local.journal import Journal
from eventing.local.manifests.deployment import Key
from eventing.local.manifests.eventing_kinds import PingSource
from eventing.local.wire import NoAnswer, Sink, message_of
from shared.clock import rfc3339

TYPE = "dev.knative.sources.ping"
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Timer:
    """One PingSource and its sink."""

    key: Key
    source: PingSource
    sink: Sink

    async def run(self, journal: Journal, factor: float) -> None:
        """Fire for ever; waits are those of the schedule times `factor`."""
        schedule, imagined_s = cron.parse(self.source.spec.schedule), time.time()
        while True:
            next_s = schedule.next_after(imagined_s)
            await asyncio.sleep((next_s - imagined_s) * factor)
            imagined_s = next_s if factor != 1 else max(next_s, time.time())
            await self._fire(journal)

    async def _fire(self, journal: Journal) -> None:
        event = self.event()
        journal.event(event)
        try:
            answer = await self.sink.post(message_of(event, self.key[0], None, None), TIMEOUT_S)
        except NoAnswer as error:
            journal.note("no_answer", trigger=self.key[1], id=event.id, reason=str(error))
            return
        if answer.status >= 300:
            journal.note("timer_failed", trigger=self.key[1], id=event.id, code=answer.status)

    def event(self) -> Event:
        """Return a new event of this source."""
        spec = self.source.spec
        return Event(
            id=str(uuid4()), type=TYPE, time=rfc3339(time.time()),
            source=f"/apis/v1/namespaces/{self.key[0]}/pingsources/{self.key[1]}",
            datacontenttype=spec.content_type,
            data=None if spec.data is None else spec.data.encode())
