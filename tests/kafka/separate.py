"""The embedded broker as a process of its own, so that it can be killed.

Its address outlives the process: a forwarder stands in front of it. The process reads commands
and writes answers, one JSON object a line.
"""

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.conformance.embedded import NAME, EmbeddedBroker
from tests.conformance.protocol import Rejected, Spec
from tests.kafka.forward import Forwarder

ANSWER_S = 60.0
"""Far above a start on a loaded machine."""


class SeparateBroker:
    """A broker under test that can be killed; its events are kept in a folder."""

    broker_class = EmbeddedBroker.broker_class
    namespace = EmbeddedBroker.namespace
    parts = ("broker",)
    """What can be killed: receiver, dispatcher and store are one process here."""

    def __init__(self, folder):
        self._folder = folder
        self._front = Forwarder()
        self._process = None
        self._path = self._delivery = None

    @property
    def ingress(self):
        return self._front.url + self._path

    async def start(self, delivery=None):
        self._delivery = delivery
        await self._front.start()
        await self._run()

    async def add_trigger(self, name, spec):
        said = await self._ask({"name": name, "spec": vars(spec)})
        if "rejected" in said:
            raise Rejected(said["rejected"])

    async def settled(self):
        await self._ask({"settled": True})

    async def crash(self, part):
        """Kill it with SIGKILL, and its Redis with it; start it again on what it has stored."""
        assert part in self.parts
        self._process.kill()
        await self._process.wait()
        await self._run()

    async def stop(self):
        self._process.stdin.close()
        async with asyncio.timeout(ANSWER_S):
            await self._process.wait()
        await self._front.stop()

    async def _run(self):
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.kafka.separate", str(self._folder),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        ingress = urlsplit((await self._ask({"delivery": self._delivery}))["ingress"])
        self._front.to, self._path = ingress.port, ingress.path

    async def _ask(self, command):
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(ANSWER_S):
            return json.loads(await self._process.stdout.readline())


async def serve(folder):
    """Run the broker for the commands on standard input, until that ends."""
    broker = EmbeddedBroker(folder)
    await broker.start(json.loads(sys.stdin.readline())["delivery"])
    _say(ingress=broker.ingress, broker=NAME)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await _carry_out(broker, json.loads(line))
    await broker.stop()


async def _carry_out(broker, command):
    if "settled" in command:
        await broker.settled()
        return _say()
    try:
        await broker.add_trigger(command["name"], Spec(**command["spec"]))
    except Rejected as error:
        return _say(rejected=str(error))
    return _say()


def _say(**answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
