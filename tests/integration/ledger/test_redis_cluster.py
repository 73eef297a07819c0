"""The scripts on a Redis Cluster of three masters: each tenant's keys are in one slot."""

import asyncio
import random
import socket
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import pytest
from pydantic import SecretStr
from redis.asyncio import RedisCluster

from functions.ledger.prices import PriceBook
from functions.ledger.requests import HolderBody, ReserveBody, SettleBody
from functions.ledger.wiring import assemble
from shared.auth import ApiKeys, Grant, TaskLimits
from shared.metering import Denied
from tests.integration.ledger.audit import Books, faults
from tests.integration.ledger.conftest import Broker
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio
SLOTS, MASTERS, TENANTS = 16_384, 3, 12
BUS = 10_000
"""How far above its port a node speaks to the others."""


class Node(RedisServer):
    """A master to be; its bus needs a port of its own."""

    def __init__(self, folder):
        super().__init__(folder, options=("--cluster-enabled", "yes"))
        self._command[self._command.index("--port") + 1] = str(port := _port())
        self.port, self.url = port, f"redis://127.0.0.1:{port}/0"


def _port():
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as one, socket.socket() as bus:
            if one.connect_ex(("127.0.0.1", port)) != 0 and (
                    bus.connect_ex(("127.0.0.1", port + BUS)) != 0):
                return port


@contextmanager
def started(folder, attempts=5):
    """Yield a node; a port that somebody took meanwhile is tried again as another."""
    for left in reversed(range(attempts)):
        node = Node(folder)
        try:
            node.__enter__()
        except AssertionError:
            if not left:
                raise
            continue
        try:
            yield node
        finally:
            node.__exit__()
        return


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with ExitStack() as running:
        found = [running.enter_context(started(tmp_path_factory.mktemp(f"master{n}")))
                 for n in range(MASTERS)]
        for n, node in enumerate(found):
            first, last = n * SLOTS // MASTERS, (n + 1) * SLOTS // MASTERS - 1
            assert node.call("cluster", "addslotsrange", str(first), str(last)) == "OK"
            assert node.call("cluster", "meet", "127.0.0.1", str(found[0].port)) == "OK"
        yield found


@pytest.fixture
async def cluster(nodes):
    for _ in range(600):
        if all("cluster_state:ok" in node.call("cluster", "info") for node in nodes):
            break
        await asyncio.sleep(0.05)
    redis = RedisCluster.from_url(nodes[0].url, decode_responses=True)
    yield redis
    await redis.aclose()


def body(name, **changes):
    said = {"id": name, "kind": "llm", "model": "scripted/default", "holder": 1, "lease_s": 60,
            "input_tokens_max": 100, "output_tokens_max": 10, "attribution": {
                "step": 1, "attempt": 1, "agent_version": "1", "env": "test",
                "trigger_source": "/gateway", "trigger_id": "e"}}
    return ReserveBody(**said | changes)


async def spend(ledger, tenant):
    """Settle, forfeit, void, leave open and be denied, all of one tenant."""
    limits = TaskLimits(task="t", usd=100_000, tok=10**6)
    grant = Grant(tenant=tenant, agent="a", session="s", root="t", limits=limits, exp=2**40)
    for name in ("settled", "resolved", "voided", "open"):
        await ledger.reservations.reserve(grant, body(name, dispatch=True))
    await ledger.endings.settle(tenant, "settled", SettleBody(usage={"output_text": 5}))
    await ledger.endings.end(tenant, "resolved", "resolve", 1)
    await ledger.endings.end(tenant, "voided", "void", 1)
    await ledger.endings.settle(tenant, "resolved", SettleBody(usage={"output_text": 5}))
    with pytest.raises(Denied):
        await ledger.reservations.reserve(grant, body("denied", input_tokens_max=10**6))
    await ledger.reservations.reserve(grant, body("sent"))
    await ledger.reservations.dispatch(tenant, "sent", HolderBody(holder=1))


async def test_scripts_serve_tenants_of_every_master(cluster, nodes):
    broker = Broker()
    ledger = assemble(cluster, broker, PriceBook({}), key=SecretStr("k" * 32),
                      api_keys=ApiKeys(()))
    tenants = [f"c{uuid4().hex[:12]}" for _ in range(TENANTS)]

    for tenant in tenants:
        await spend(ledger, tenant)

    at = {cluster.get_node_from_key(f"lg:{{{tenant}}}:seq").port for tenant in tenants}
    assert at == {node.port for node in nodes}
    for tenant in tenants:
        books = Books.of_keys(tenant, [
            (key, await read(cluster, key)) async for key in keys_of(cluster, nodes, tenant)])
        assert faults(books) == []
        assert books.of("PENDING") == {"open", "sent"}
        assert len(books.entries) == 5
        assert await ledger.outbox.drain(tenant) == len(books.entries)
    assert len(broker.events) == 5 * TENANTS


async def keys_of(cluster, nodes, tenant):
    node = cluster.get_node_from_key(f"lg:{{{tenant}}}:seq")
    async for key in cluster.scan_iter(match=f"lg:{{{tenant}}}:*", target_nodes=node):
        yield key


async def read(cluster, key):
    match await cluster.type(key):
        case "hash":
            return [x for pair in (await cluster.hgetall(key)).items() for x in pair]
        case "zset":
            return await cluster.zrange(key, 0, -1)
    return [(place, [x for pair in fields.items() for x in pair])
            for place, fields in await cluster.xrange(key)]
