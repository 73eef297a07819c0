"""The ledger with its Redis and nothing else on this machine but the load: what it can do itself.

The broker of a cluster runs on other machines. What stands for it here is a process that takes each
event and answers 202, as little as a broker can do; how many it took is told.
"""

import asyncio
import re
import secrets
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import uvloop
import yaml
from pydantic import SecretStr

from eventing.local.embedded_redis import start
from shared.auth import Grant, TaskLimits, sign
from tests.benchmarks.door import ROOT, free_port, keys_file, process

LIMITS = TaskLimits(task="bench", usd=10**15, tok=10**12)
GRANT = Grant(tenant="bench", agent="researcher", session="bench", root="bench", limits=LIMITS,
              exp=2**40)
_LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)
TAKEN = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Ledger:
    """A ledger's address, and a grant that it takes."""

    url: str
    grant: str
    broker_url: str = ""

    @property
    def headers(self):
        return {"tollgate-grant": self.grant}

    def taken(self):
        """Return how many events the broker took so far."""
        return int(httpx2.get(self.broker_url).text)


@contextmanager
def alone(folder):
    """Yield a ledger over a durable Redis, its events going to a broker that only takes them."""
    key = secrets.token_hex(32)
    catalogue = yaml.safe_load((ROOT / "knative/base/catalogue/configmap.yaml").read_text())
    (folder / "catalogue.json").write_text(catalogue["data"]["catalogue.json"])
    redis = start(folder / "redis", durable=True)
    try:
        with _broker() as broker_url, process(
                "ledger", REDIS_URL=redis.socket_url, BROKER_URL=broker_url,
                TOLLGATE_GRANT_KEY=key, LOG_LEVEL="WARNING",
                TOLLGATE_API_KEYS=str(keys_file(folder, "bench", "admin")),
                TOLLGATE_CATALOGUE=str(folder / "catalogue.json")) as (_, url):
            yield Ledger(url, sign(GRANT, SecretStr(key)), broker_url)
    finally:
        redis.stop()


@contextmanager
def _broker():
    port = free_port()
    taking = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.alone", str(port)],
                              cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert taking.stdout.readline() == b"ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        taking.kill()
        taking.wait(20)
        taking.stdout.close()


class Taker(asyncio.Protocol):
    """One connection: an event is taken, any GET is told how many were."""

    taken = 0

    def connection_made(self, transport):
        self._transport, self._told = transport, b""

    def data_received(self, data):
        self._told += data
        while (parts := self._told.partition(b"\r\n\r\n"))[1]:
            head, _, rest = parts
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self._told = rest[length:]
            self._answer(is_event=head.startswith(b"POST"))

    def _answer(self, *, is_event):
        Taker.taken += is_event
        self._transport.write(TAKEN if is_event else _told(Taker.taken))


def _told(number):
    said = b"%d" % number
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said)


async def _serve(port):
    server = await asyncio.get_running_loop().create_server(Taker, "127.0.0.1", port)
    print("ready", flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
