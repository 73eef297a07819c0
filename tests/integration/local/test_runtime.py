"""The broker inside a runtime: Redis away, timers, disturbances, the admin address."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from eventing.local.disturbance import Drop
from eventing.local.embedded_redis import start
from eventing.local.log import EventLog
from eventing.local.options import Scale
from shared.store import Unavailable, connect
from tests.conformance.subscriber import Reply, Subscriber
from tests.integration.local.building import broker, headers, meta, service, trigger
from tests.integration.local.polling import lines, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def subscriber():
    one = await Subscriber().start()
    yield one
    await one.stop()


def pending(runtime):
    return sum(t["pending"] for t in runtime.status()["triggers"])


async def test_nothing_of_a_delivered_event_is_left_in_redis(run, http, subscriber, redis_url):
    both = trigger("one", uri=subscriber.url), trigger("two", uri=subscriber.url)
    async with run(broker(), *both) as runtime:
        redis = connect(runtime.addresses["redis"])
        for number in range(20):
            await http.post(runtime.addresses["broker"], headers=headers(number))
        await subscriber.wait_for(40)
        await until(lambda: pending(runtime) == 0)

        assert await redis.xlen("broker:{tollgate/default}:log") == 0
        assert await redis.hlen("broker:{tollgate/default}:at") == 0
        await redis.connection_pool.aclose()


async def test_redis_away_gives_503_and_nothing_is_lost(run, http, subscriber, tmp_path):
    server = start(tmp_path / "mine", durable=True)
    try:
        async with run(broker(), trigger(uri=subscriber.url), redis_url=server.url) as runtime:
            os.kill(server.pid, signal.SIGKILL)
            away = await http.post(runtime.addresses["broker"], headers=headers(1))
            server.revive()
            back = await http.post(runtime.addresses["broker"], headers=headers(2))
            await subscriber.wait_for(1)

            assert (away.status_code, back.status_code) == (503, 202)
            assert subscriber.ids() == ["2"]
            await until(lambda: pending(runtime) == 0)
    finally:
        server.stop()


async def test_embedded_redis_that_dies_comes_back_with_what_it_had(run, http, subscriber):
    async with run(broker(), trigger(uri=subscriber.url)) as runtime:
        for number in range(5):
            await http.post(runtime.addresses["broker"], headers=headers(number))
        os.kill(runtime._embedded.pid, signal.SIGKILL)

        statuses = []
        while 202 not in statuses:
            answer = await http.post(runtime.addresses["broker"], headers=headers("last"))
            statuses.append(answer.status_code)
        await until(lambda: set(subscriber.ids()) == {*"01234", "last"})


async def test_more_waiting_events_than_memory_keeps_are_read_again(
        run, http, subscriber, monkeypatch):
    monkeypatch.setattr("eventing.local.broker.RESIDENT_MAX", 3)
    subscriber._then = Reply(wait_s=0.01)
    async with run(broker(), trigger(uri=subscriber.url)) as runtime:
        posts = [http.post(runtime.addresses["broker"], headers=headers(n), content=f"{n}")
                 for n in range(150)]
        await asyncio.gather(*posts)
        await subscriber.wait_for(150)

        assert {(r.headers["ce-id"], r.body.decode()) for r in subscriber.received} == {
            (str(n), str(n)) for n in range(150)}


async def test_timer_wakes_its_service_without_a_broker(run, tmp_path):
    seen = tmp_path / "seen"
    ping = {"apiVersion": "sources.knative.dev/v1", "kind": "PingSource", "metadata": meta("tick"),
            "spec": {"schedule": "* * * * *", "contentType": "application/json", "data": "{}",
                     "sink": {"uri": "/sweep", "ref": {
                         "apiVersion": "serving.knative.dev/v1", "kind": "Service",
                         "name": "echo"}}}}
    runtime = run(service(env={"SEEN": str(seen), "PATHS": str(tmp_path / "paths")}), ping)
    runtime.options = replace(runtime.options, scale=Scale(timers=0.005))
    async with runtime:
        await until(lambda: len(lines(seen)) >= 2)

        assert set(lines(tmp_path / "paths")) == {"/sweep"}
        records = [r for r in runtime.parts.journal.after(0) if r["kind"] == "event"]
        assert {r["type"] for r in records} == {"dev.knative.sources.ping"}
        assert records[0]["source"] == "/apis/v1/namespaces/tollgate/pingsources/tick"


async def test_dropped_event_never_arrives_and_is_counted(run, http, subscriber):
    async with run(broker(), trigger(uri=subscriber.url)) as runtime:
        runtime.disturbance.drop = Drop("a.b", nth=2)
        for number in range(3):
            await http.post(runtime.addresses["broker"], headers=headers(number))
        await subscriber.wait_for(2)
        await until(lambda: pending(runtime) == 0)

        assert sorted(subscriber.ids()) == ["0", "2"]
        assert runtime.disturbance.dropped == 1


async def test_doubled_deliveries_arrive_twice_shuffled_ones_in_another_order(
        run, http, subscriber):
    async with run(broker(), trigger(uri=subscriber.url)) as runtime:
        runtime.disturbance.twice, runtime.disturbance.shuffle_s = True, 0.3
        for number in range(10):
            await http.post(runtime.addresses["broker"], headers=headers(number))
        await subscriber.wait_for(20)

        assert sorted(subscriber.ids()) == sorted([*map(str, range(10))] * 2)
        assert subscriber.ids()[::2] != [*map(str, range(10))]


async def test_doubled_delivery_that_is_refused_once_is_retried(run, http, subscriber):
    subscriber._replies = [Reply(409)]
    async with run(broker(), trigger(uri=subscriber.url)) as runtime:
        runtime.disturbance.twice = True
        await http.post(runtime.addresses["broker"], headers=headers(1))
        await subscriber.wait_for(3)
        await until(lambda: pending(runtime) == 0)


async def test_admin_tells_status_events_and_a_page(run, http, tmp_path):
    objects = service(env={"SEEN": str(tmp_path / "seen")}), broker(), trigger()
    async with run(*objects) as runtime:
        await http.post(runtime.addresses["broker"], headers=headers(1, taskid="t-1"))
        await until(lambda: pending(runtime) == 0)
        admin = runtime.addresses["dashboard"]

        status = (await http.get(admin + "/status")).json()
        records = (await http.get(admin + "/events?after=0")).json()["events"]
        page = await http.get(admin + "/")

        assert status["functions"][0] | {"pids": []} == {
            "name": "echo", "replicas": 1, "ready": 1, "woken": 1, "slept": 0,
            "processes_max": 1, "in_flight": 0, "waiting": 0, "pids": []}
        assert status["triggers"][0]["delivered"] == 1
        assert [r["kind"] for r in records] == ["event", "woke", "ready"]
        assert records[0]["task"] == "t-1"
        assert page.headers["content-type"].startswith("text/html")
        assert "a.b" in page.text
        assert (await http.get(admin + "/events?after=x")).status_code == 400
        assert (await http.post(admin + "/disturb", content="{}")).status_code == 404


async def test_disturbances_can_be_asked_for_over_http_when_allowed(run, http):
    async with run(broker(), disturbable=True) as runtime:
        url = runtime.addresses["dashboard"] + "/disturb"

        answer = await http.post(url, json={"drop": {"type": "a.b", "nth": 2}, "twice": True})
        wrong = await http.post(url, json={"drop": {"kind": "a.b"}})

        assert answer.json()["drop"] == {"type": "a.b", "nth": 2, "trigger": None}
        assert runtime.disturbance.twice
        assert wrong.status_code == 400


async def test_changed_trigger_changes_in_place(run, write, http, subscriber):
    async with run(broker(), trigger(uri=subscriber.url)) as runtime:
        wanted = trigger(uri=subscriber.url, filters=[{"exact": {"type": "wanted"}}])
        write(broker(), wanted)
        runtime.reload_triggers()

        await http.post(runtime.addresses["broker"], headers=headers(1))
        await http.post(runtime.addresses["broker"], headers=headers(2, kind="wanted"))
        await subscriber.wait_for(1)
        await until(lambda: pending(runtime) == 0)

        assert subscriber.ids() == ["2"]


async def test_deleted_trigger_gets_nothing_more(run, write, http, subscriber):
    kept = trigger("kept", uri=subscriber.url)
    async with run(broker(), kept, trigger("gone", uri=subscriber.url)) as runtime:
        write(broker(), kept)
        runtime.reload_triggers()

        await http.post(runtime.addresses["broker"], headers=headers(1))
        await subscriber.wait_for(1)
        await until(lambda: pending(runtime) == 0)

        assert subscriber.ids() == ["1"]
        assert [t["name"] for t in runtime.status()["triggers"]] == ["kept"]


async def test_event_stored_although_the_sender_was_told_503_is_delivered(
        run, http, subscriber, monkeypatch):
    monkeypatch.setattr("eventing.local.broker.DOUBT_AGE_S", 0.0)
    append = EventLog.append

    async def answer_lost(self, event, triggers, traceparent):
        await append(EventLog(self._redis, "tollgate/default"), event, triggers, traceparent)
        raise Unavailable("the answer was lost")
    async with run(broker(), trigger(uri=subscriber.url)) as runtime:
        monkeypatch.setattr(EventLog, "append", answer_lost)

        answer = await http.post(runtime.addresses["broker"], headers=headers(1))
        await subscriber.wait_for(1)
        await until(lambda: pending(runtime) == 0)

        assert answer.status_code == 503
        assert subscriber.ids() == ["1"]
