"""Runs all functions on this machine, while a broker elsewhere carries their events.

The functions publish to the broker under test, and its Triggers call the functions' addresses:
everything but the broker is what the other tests run.
"""

from urllib.parse import urlsplit

import yaml

from eventing.local.manifests.deployment import load
from tests.conformance.protocol import Spec
from tests.conformance.subscriber import HOST
from tests.kafka.forward import Forwarder
from tests.system import System


class OverBroker(System):
    """The running system over a broker that is started already."""

    def __init__(self, folder, broker, *, env=None, **options):
        super().__init__(folder, env={"BROKER_URL": broker.ingress, **(env or {})}, **options)
        self.broker = broker
        self._triggers = []
        self._doors = {}

    async def __aenter__(self):
        await super().__aenter__()
        try:
            for trigger in self._triggers:
                name, spec = trigger["metadata"]["name"], await self._spec(trigger)
                await self.broker.add_trigger(name, spec)
        except BaseException:
            await super().__aexit__(None, None, None)
            raise
        return self

    def _write_manifests(self):
        """Write all manifests but the Triggers: those are the broker's."""
        folder = super()._write_manifests()
        run_here = {name for _, name in load(folder).triggers}
        for file in sorted(folder.glob("*/trigger-*.yaml")):
            trigger = yaml.safe_load(file.read_text())
            if trigger["metadata"]["name"] in run_here:
                self._triggers.append(trigger)
            file.unlink()
        return folder

    async def _spec(self, trigger):
        spec = trigger["spec"]
        delivery = dict(spec["delivery"])
        if sink := delivery.get("deadLetterSink"):
            delivery["deadLetterSink"] = {"uri": await self._door(sink)}
        return Spec(await self._door(spec["subscriber"]), filters=spec["filters"],
                    delivery=delivery)

    async def _door(self, destination):
        """Return where the broker finds a function: functions listen on loopback only."""
        name = destination["ref"]["name"]
        if name not in self._doors:
            door = Forwarder(urlsplit(self.addresses[name]).port)
            self._doors[name] = await door.start(HOST)
            self._stack.push_async_callback(door.stop)
        return self._doors[name].url + "/"
