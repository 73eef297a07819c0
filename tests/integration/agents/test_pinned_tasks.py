"""Two revisions of one agent over one store: a task stays with the one that began it."""

from uuid import uuid4

import httpx2
import pytest

from eventing.adapter import Delivery
from eventing.http import decode
from eventing.outbox import Outbox
from eventing.task_events import tool_refused
from eventing.types import TaskCompleted
from functions.agents.pinning import Siblings
from shared.store import connect
from shared.tasks.contract import Status
from shared.tasks.store import Commit, Tasks
from tests.integration.agents.test_host_records import granted, host
from tests.states import NOW, call, state

pytestmark = pytest.mark.anyio
LEDGER = "http://ledger.prod.svc.cluster.local"


class Cluster:
    """Revisions by number; a request to a tag reaches its revision, or nobody."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.routed = set()
        self.handed_on = []
        self.published = []
        self.revisions = {n: self.revision(n) for n in (1, 2)}

    def revision(self, number):
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(self.route))
        others = Siblings("researcher", f"researcher-{number:05}", LEDGER, client)
        return host(self.tasks, siblings=others, posted=self,
                    outbox=Outbox(self.tasks, self, silence_s=300))

    async def of(self, _):
        return 0

    async def publish(self, event):
        self.published.append(event)

    async def route(self, request):
        number = int(request.url.host.partition("-")[0].removeprefix("r"))
        if number not in self.routed:
            raise httpx2.ConnectError("no such host")
        event = decode(request.headers, request.content)
        self.handed_on.append(number)
        await self.revisions[number](Delivery(event, granted(event.get("tenantid"), "t")))
        return httpx2.Response(204)


@pytest.fixture
async def cluster(redis_url):
    redis = connect(redis_url)
    yield Cluster(Tasks(redis))
    await redis.aclose()


async def waiting(tasks, tenant):
    """Store a task of the first revision that waits for two calls; return an outcome of one."""
    begun = state("t", tenant=tenant)
    await tasks.submit(begun, ("", ""), due_at=NOW + 5)
    seen = await tasks.look(tenant, "t")
    calls = (call("reader", "one"), call("reader", "other"))
    later = seen.state.but(step=1, calls=calls, revision="researcher-00001")
    await tasks.commit(Commit(before=seen, state=later, due_at=NOW,
                              awaited=[c.call_id for c in calls]))
    return Delivery(tool_refused(later, calls[0]), granted(tenant, "t"))


async def test_task_goes_on_at_the_revision_that_began_it(cluster):
    cluster.routed = {1, 2}
    tenant = f"t-{uuid4().hex[:12]}"

    await cluster.revisions[2](await waiting(cluster.tasks, tenant))

    assert cluster.handed_on == [1]
    assert (await cluster.tasks.look(tenant, "t")).missing == ("other",)


async def test_task_of_a_revision_without_a_route_is_taken_over(cluster):
    tenant = f"t-{uuid4().hex[:12]}"
    delivery = await waiting(cluster.tasks, tenant)
    await cluster.tasks.cancel(tenant, "t", "enough")  # ends without a model

    await cluster.revisions[2](delivery)

    (event,) = cluster.published
    assert (await cluster.tasks.look(tenant, "t")).state.status is Status.CANCELLED
    assert (event.type, event.get("revision")) == (TaskCompleted.TYPE, "researcher-00002")
    assert cluster.handed_on == []


async def test_revisions_never_hand_an_event_back_and_forth(cluster):
    cluster.routed = {1, 2}
    tenant = f"t-{uuid4().hex[:12]}"
    delivery = await waiting(cluster.tasks, tenant)
    seen = await cluster.tasks.look(tenant, "t")
    lost = seen.state.but(revision="researcher-00002")
    await cluster.tasks.commit(Commit(before=seen, state=lost, due_at=NOW))
    cluster.revisions[2] = cluster.revision(3)  # the tag leads elsewhere than it says

    await cluster.revisions[1](delivery)

    assert cluster.handed_on == [2]
