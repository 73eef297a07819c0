"""The in-memory class of Broker, on the cluster that kubectl is configured for.

`--broker-under-test=tests.cluster.broker:in_memory`; see `tests.kafka.given` for its variables.
"""

import asyncio

import httpx2

from tests.conformance.events import event
from tests.kafka.given import GivenBroker

ASYNCHRONOUS = {"messaging.knative.dev/async-handler": "true"}
"""Its channel acknowledges before it delivers, as Kafka does; the Broker hands the annotation on.
Without it a sender waits for every subscriber, and for what those send: a circle of waiting."""

LIVE_MAX_S = 30.0


class InMemoryBroker(GivenBroker):
    broker_class = "MTChannelBasedBroker"
    annotations = ASYNCHRONOUS

    async def start(self, delivery=None):
        """Start, and wait for the ingress: it hears of the Broker's channel after Ready."""
        await super().start(delivery)
        sent = event("com.example.Probe", "probe")  # no Trigger yet: nobody sees it
        async with asyncio.timeout(LIVE_MAX_S), httpx2.AsyncClient(trust_env=False) as client:
            while not (await client.post(self.ingress, headers=sent.headers)).is_success:
                await asyncio.sleep(0.05)


def in_memory():
    """Return a broker that is not started."""
    return InMemoryBroker()
