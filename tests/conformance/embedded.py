"""The embedded broker, run as a whole runtime without functions."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import yaml

from eventing.local.manifests.reading import Refused
from eventing.local.options import RuntimeOptions
from eventing.local.runtime import Runtime
from tests.conformance.protocol import Rejected, Spec

NAMESPACE, NAME = "tollgate", "default"
BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker",
          "metadata": {"name": NAME, "namespace": NAMESPACE,
                       "annotations": {"eventing.knative.dev/broker.class": "Kafka"}}}


class EmbeddedBroker:
    broker_class = "Kafka"
    namespace = NAMESPACE

    def __init__(self, folder: Path | None = None) -> None:
        """Keep events and Triggers in a folder that is there already, or in one that goes."""
        self._scratch = None if folder else tempfile.TemporaryDirectory()
        place = folder or Path(self._scratch.name)
        self._manifests = place / "manifests"
        self._runtime = Runtime(self._manifests, RuntimeOptions(place / "data"))

    @property
    def ingress(self) -> str:
        return self._runtime.addresses["broker"]

    async def start(self, delivery: dict[str, Any] | None = None) -> None:
        self._manifests.mkdir(exist_ok=True)
        self._write("broker", BROKER | {"spec": {"delivery": delivery} if delivery else {}})
        await self._runtime.__aenter__()

    async def add_trigger(self, name: str, spec: Spec) -> None:
        file = self._write(f"trigger-{name}", {
            "apiVersion": "eventing.knative.dev/v1", "kind": "Trigger",
            "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec.manifest(NAME)})
        try:
            self._runtime.reload_triggers()
        except Refused as error:
            file.unlink()
            raise Rejected(str(error)) from error

    async def settled(self) -> None:
        async with asyncio.timeout(30):
            while any(t["pending"] for t in self._runtime.status()["triggers"]):
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        await self._runtime.__aexit__(None, None, None)
        if self._scratch:
            self._scratch.cleanup()

    def _write(self, name: str, document: dict[str, Any]) -> Path:
        file = self._manifests / f"{name}.yaml"
        file.write_text(yaml.safe_dump(document))
        return file


def embedded() -> EmbeddedBroker:
    """Return a broker that is not started; the suite's default factory."""
    return EmbeddedBroker()
