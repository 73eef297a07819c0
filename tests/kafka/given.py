"""The broker under test is one of a real cluster, which environment variables name."""

import asyncio
import os
from uuid import uuid4

from tests.conformance.protocol import Rejected
from tests.kafka import kubectl

URL = "TOLLGATE_BROKER_URL"
"""The ingress of all Brokers of the class, without namespace and name."""

CLASS = "TOLLGATE_BROKER_CLASS"
NAMESPACE = "TOLLGATE_TEST_NAMESPACE"
KAFKA_PODS = "TOLLGATE_KAFKA_PODS"
"""Apache Kafka's own pods, as `<namespace>/<label selector>`; they are killed only if named."""

LIVE_S = 0.5
"""Ready says that a Trigger's offsets are set and its place in the dispatchers is chosen; those
read it 0.2 to 0.4 s later."""

QUIET_S = 2.0
"""Far above any wait between attempts that the suite asks for."""

PODS = {"Kafka": {"receiver": ("knative-eventing", "app=kafka-broker-receiver"),
                  "dispatcher": ("knative-eventing", "app=kafka-broker-dispatcher")}}
"""What can be killed: part → namespace and label selector of its pods."""

CONFIG = {"Kafka": {"apiVersion": "v1", "kind": "ConfigMap", "name": "kafka-broker-config",
                    "namespace": "knative-eventing"}}
"""The configuration that comes with a class: a Kafka-class Broker must name one."""

API = "eventing.knative.dev/v1"
NO_DELIVERY = {"retry": 0}
"""A Broker that says nothing gets the cluster's own defaults: ten retries, as Knative comes."""


class GivenBroker:
    """A Broker of its own for one test; see `BrokerUnderTest`."""

    takes_empty_filters = True
    """Knative's webhook lets them pass (Eventing 1.22); the embedded runtime does not."""

    annotations = {}
    """What its class needs to be told."""

    def __init__(self):
        self.broker_class = getattr(self, "broker_class", os.environ.get(CLASS, "Kafka"))
        self.namespace = os.environ[NAMESPACE]
        self._name = f"b{uuid4().hex[:8]}"
        self._pods = dict(PODS.get(self.broker_class, {}))
        if named := os.environ.get(KAFKA_PODS):
            self._pods["kafka"] = tuple(named.split("/", 1))
        self._triggers = []

    @property
    def ingress(self):
        return f"{os.environ[URL].rstrip('/')}/{self.namespace}/{self._name}"

    @property
    def parts(self):
        """What `crash` can kill."""
        return tuple(self._pods)

    async def start(self, delivery=None):
        annotations = {"eventing.knative.dev/broker.class": self.broker_class, **self.annotations}
        spec = {"config": CONFIG[self.broker_class]} if self.broker_class in CONFIG else {}
        await kubectl.apply({
            "apiVersion": API, "kind": "Broker",
            "metadata": {**self._named(self._name), "annotations": annotations},
            "spec": spec | {"delivery": delivery or NO_DELIVERY}})
        await kubectl.ready(self.namespace, f"broker/{self._name}")

    async def add_trigger(self, name, spec):
        full = f"{self._name}-{name}"
        try:
            await kubectl.apply({"apiVersion": API, "kind": "Trigger",
                                 "metadata": self._named(full), "spec": spec.manifest(self._name)})
        except kubectl.Refused as error:
            raise Rejected(str(error)) from error
        self._triggers.append(full)
        await kubectl.ready(self.namespace, f"trigger/{full}")
        await asyncio.sleep(LIVE_S)

    async def settled(self):
        await asyncio.sleep(QUIET_S)

    async def crash(self, part):
        """Kill all pods of a part without grace, and return when others are ready."""
        namespace, selector = self._pods[part]
        where = ("-n", namespace, "pods", "-l", selector)
        await kubectl.told("delete", *where, "--grace-period=0", "--force")
        await kubectl.told("wait", *where, "--for=condition=Ready",
                           f"--timeout={kubectl.TIMEOUT_S - 10}s")

    async def stop(self):
        names = [f"trigger/{name}" for name in self._triggers] + [f"broker/{self._name}"]
        await kubectl.told("-n", self.namespace, "delete", "--ignore-not-found", "--wait=false",
                           *names)

    def _named(self, name):
        return {"name": name, "namespace": self.namespace}


def given():
    """Return a broker that is not started, for `--broker-under-test`."""
    return GivenBroker()
