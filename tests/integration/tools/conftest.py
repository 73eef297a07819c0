import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest
from pydantic import SecretStr

from eventing.adapter import Delivery
from eventing.event import Event
from eventing.types_tool import ToolRequested
from functions.tools import outside
from functions.tools.declare import Context, Price, Tool
from functions.tools.perform import Bench
from shared.auth import Grant, TaskLimits, sign
from shared.errors import Busy, Transient
from shared.metering import Charge, Denied, Hold, Outcome, Unknown
from shared.metering.permit import issue
from shared.store import connect
from shared.toolcalls.rows import Calls

KEY = SecretStr("k" * 32)


class FakeLedger:
    """The ledger's lifecycle in memory: one dispatch per reservation, no settle twice."""

    def __init__(self):
        self.rows = {}
        self.deny, self.limit = None, {}
        self.is_away = False
        self.posted = []

    async def hold(self, call, *, dispatch=False):
        self._reachable()
        if self.deny:
            raise Denied("no room", **{"account": "task|t|life", "unit": "usd", "need": 2,
                                       "have": 1, "reason": self.deny} | self.limit)
        row = self.rows.setdefault(call.id, {
            "state": "PENDING", "dispatched": False, "cold": call.attribution.cold_start,
            "holder": call.holder})
        if row["state"] == "PENDING" and row["dispatched"] and call.holder > row["holder"]:
            raise Busy("a lower holder dispatched it")
        is_first = dispatch and row["state"] == "PENDING" and not row["dispatched"]
        row |= {"holder": call.holder, "dispatched": row["dispatched"] or is_first}
        return Hold(state=row["state"], expires=0, reserved_nano=0, headroom={},
                    permit=issue(call.id) if is_first else None, adopted=False, replayed=False)

    async def settle(self, reservation_id, settlement, *, grant):
        self._reachable()
        row = self._row(reservation_id)
        row["state"] = "SETTLED"
        return Charge("SETTLED", 0, 0)

    async def resolve(self, reservation_id, holder, *, grant):
        self._reachable()
        row = self._row(reservation_id)
        if row["state"] == "PENDING":
            row["state"] = "FORFEITED" if row["dispatched"] else "VOIDED"
        return Outcome(row["state"], 0)

    async def post(self, call, settlement):
        self.posted.append(call.id)
        return Charge("SETTLED", 0, 0)

    @property
    def states(self):
        return [row["state"] for row in self.rows.values()]

    def _row(self, reservation_id):
        if reservation_id not in self.rows:
            raise Unknown("no such reservation")
        return self.rows[reservation_id]

    def _reachable(self):
        if self.is_away:
            raise Transient("the ledger is away")


class FakeBroker:
    """Keeps what is published, or is away."""

    def __init__(self):
        self.events = []
        self.is_away = False

    async def publish(self, event):
        if self.is_away:
            raise Transient("the broker is away")
        self.events.append(event)

    @property
    def outcomes(self):
        return [json.loads(event.data) for event in self.events]


class World:
    """One tool with real rows, a fake ledger and a fake broker."""

    def __init__(self, redis, tool, clock=time.time):
        self.redis, self.tool = redis, tool
        self.ledger, self.broker = FakeLedger(), FakeBroker()
        self.tenant = f"t{uuid4().hex[:12]}"
        self.keys = []
        self.bench = Bench(
            tool=tool, calls=Calls(redis, lease_s=0.2, renew_s=0.05), meter=self.ledger,
            redis=redis, clock=clock, env="test", context=self._context)

    def _context(self, job):
        self.keys.append(job.asked.call_id)
        return Context(idempotency_key=job.asked.call_id, tenant=job.tenant, task=job.task,
                       settings=None)

    def delivery(self, arguments, call_id="call-1", **changed):
        extensions = changed.pop("extensions", {})
        asked = ToolRequested(**{
            "call_id": call_id, "tool": self.tool.name, "version": self.tool.version,
            "arguments": arguments, "step": 1, "deadline_at": time.time() + 60} | changed)
        grant = Grant(tenant=self.tenant, agent="researcher", session="s", root="task",
                      limits=TaskLimits(task="task", usd=10, tok=10), exp=2**40)
        event = Event.of(
            asked, type=ToolRequested.TYPE, id=f"request-{call_id}", source="/researcher",
            taskid="task", tenantid=self.tenant, replyto="researcher", hops=3,
            partitionkey="task", grant=sign(grant, KEY), tool=self.tool.name, **extensions)
        return Delivery(event, grant)


@pytest.fixture
async def redis(redis_url):
    client = connect(redis_url)
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture
def world(redis):
    """Makes a world around a function that is declared as a tool."""
    def make(fn, *, idempotent=True, timeout_s=5.0, clock=time.time):
        return World(redis, Tool(fn, version="1.0.0", idempotent=idempotent, changes_world=False,
                                 price=Price.free(), timeout_s=timeout_s), clock)

    return make


class Webhook:
    """A loopback HTTP server whose answers a test chooses, one after the other; the last stays."""

    def __init__(self):
        self.requests = []
        self.answers = [(200, {}, b"ok")]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers, answer = (
                    outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0])
                self.send_response(status)
                for name, value in {"content-length": str(len(answer)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = _any  # noqa: N815 - the names the server looks for

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
async def webhook():
    server = Webhook()
    yield server
    for client in (outside._plain_client, outside._secure_client):
        if client.cache_info().currsize:
            await client().aclose()
            client.cache_clear()
    server.stop()


@pytest.fixture(scope="module")
def webhooks():
    """One server for all tests of a module."""
    server = Webhook()
    yield server
    server.stop()
