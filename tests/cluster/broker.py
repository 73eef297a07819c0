"""The in-memory class of Broker, on the cluster that kubectl is configured for.

`--broker-under-test=tests.cluster.broker:in_memory`; see `tests.kafka.given` for its variables.
"""

from tests.kafka.given import GivenBroker

ASYNCHRONOUS = {"messaging.knative.dev/async-handler": "true"}
"""Its channel acknowledges before it delivers, as Kafka does; the Broker hands the annotation on.
Without it a sender waits for every subscriber, and for what those send: a circle of waiting."""


class InMemoryBroker(GivenBroker):
    broker_class = "MTChannelBasedBroker"
    annotations = ASYNCHRONOUS


def in_memory():
    """Return a broker that is not started."""
    return InMemoryBroker()
