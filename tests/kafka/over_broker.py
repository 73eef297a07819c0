"""Runs all functions on this machine, while a broker elsewhere carries their events.

The functions publish to the broker under test, and its Triggers call the functions' addresses:
everything but the broker is what the other tests run.
"""

import yaml

from eventing.local.options import ROOT
from tests.conformance.protocol import Spec
from tests.system import System

BASE = ROOT / "knative" / "base"


class OverBroker(System):
    """The running system over a broker that is started already."""

    def __init__(self, folder, broker, *, env=None, **options):
        super().__init__(folder, env={"BROKER_URL": broker.ingress, **(env or {})}, **options)
        self.broker = broker
        self._triggers = []

    async def __aenter__(self):
        await super().__aenter__()
        try:
            for trigger in self._triggers:
                await self.broker.add_trigger(trigger["metadata"]["name"], self._spec(trigger))
        except BaseException:
            await super().__aexit__(None, None, None)
            raise
        return self

    def _write_manifests(self):
        """Write all manifests but the Triggers: those are the broker's."""
        folder = super()._write_manifests()
        for file in sorted(folder.glob("*/trigger-*.yaml")):
            self._triggers.append(yaml.safe_load(file.read_text()))
            file.unlink()
        return folder

    def _spec(self, trigger):
        spec = trigger["spec"]
        delivery = dict(spec["delivery"])
        if sink := delivery.get("deadLetterSink"):
            delivery["deadLetterSink"] = {"uri": self._address(sink)}
        return Spec(self._address(spec["subscriber"]), filters=spec["filters"], delivery=delivery)

    def _address(self, destination):
        return self.addresses[destination["ref"]["name"]] + "/"
