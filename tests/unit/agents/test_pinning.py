"""An event of another revision's task is handed on, once, and never lost."""

import httpx2
import pytest

from eventing.http import decode
from eventing.task_events import resumed
from functions.agents.pinning import Siblings
from shared.errors import Busy, Overloaded, Permanent, Transient
from shared.tasks.contract import Status
from tests.states import NOW, state

pytestmark = pytest.mark.anyio
LEDGER = "http://ledger.prod.svc.cluster.local"
OLD, NEW = "researcher-00001", "researcher-00002"


def siblings(answer, *, revision=NEW, ledger=LEDGER):
    seen = []

    def handle(asked):
        seen.append(asked)
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer, text="because")

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(handle))
    return Siblings("researcher", revision, ledger, client), seen


def of(revision):
    begun = state(revision=revision, status=Status.RUNNING)
    return resumed(begun, "go on"), begun


async def test_event_goes_to_the_tag_of_the_tasks_revision():
    others, seen = siblings(204)
    event, begun = of(OLD)

    assert await others.took(event, begun)

    (asked,) = seen
    assert str(asked.url) == "http://r00001-researcher.prod.svc.cluster.local/"
    sent = decode(asked.headers, asked.content)
    assert (sent.id, sent.get("forwarded"), sent.get("grant")) == (
        event.id, NEW, event.get("grant"))


@pytest.mark.parametrize("owner", [NEW, None])
async def test_own_and_new_tasks_ask_nobody(owner):
    others, seen = siblings(204)

    assert not await others.took(*of(owner))
    assert not seen


async def test_event_that_was_handed_on_stays_where_it_is():
    others, seen = siblings(204)
    event, begun = of(OLD)

    assert not await others.took(event.extended(forwarded="researcher-00003"), begun)
    assert not seen


async def test_finished_task_is_handed_to_nobody():
    others, seen = siblings(204)
    event, begun = of(OLD)

    assert not await others.took(event, begun.ended(Status.COMPLETED, NOW))
    assert not seen


@pytest.mark.parametrize(("revision", "ledger"), [
    (None, LEDGER), (NEW, "http://127.0.0.1:8080"), (NEW, "http://ledger:80")])
async def test_outside_a_cluster_there_is_one_revision(revision, ledger):
    others, seen = siblings(204, revision=revision, ledger=ledger)

    assert not await others.took(*of(OLD))
    assert not seen


@pytest.mark.parametrize("gone", [404, httpx2.ConnectError("no such host")],
                         ids=["no-route", "no-host"])
async def test_task_of_a_revision_that_is_gone_is_taken_over(gone):
    others, _ = siblings(gone)

    assert not await others.took(*of(OLD))


@pytest.mark.parametrize(("answer", "error"), [
    (409, Busy), (429, Overloaded), (500, Transient), (503, Transient), (422, Permanent),
    (httpx2.ReadTimeout("slow"), Transient)], ids=str)
async def test_answer_of_the_other_revision_is_what_the_broker_hears(answer, error):
    others, _ = siblings(answer)

    with pytest.raises(error):
        await others.took(*of(OLD))
