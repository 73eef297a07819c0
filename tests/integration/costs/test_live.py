"""The stream that keeps pages live, and how it ends."""

import json
import signal
import threading
import time

import httpx2
import pytest
from starlette.requests import Request

from eventing import stopping
from functions.costs.routes import live
from functions.costs.routes.door import Door
from functions.costs.routes.live import Live
from functions.costs.store.store import CostStore
from shared.auth import hash_key
from shared.store import connect
from tests.integration.costs.conftest import KEY, POOR_KEY, ledger_events

pytestmark = pytest.mark.anyio
AUTHORIZED = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def stream(store, settings):
    """The stream as the server sends it on, for a key."""
    async def lines(key=KEY, query="", store=store):
        route = Live(store, Door(settings.api_keys))
        scope = {"type": "http", "method": "GET", "path": "/v1/live",
                 "query_string": query.encode(), "headers": [
                     (b"authorization", f"Bearer {key}".encode())]}
        return (await route.live(Request(scope))).body_iterator

    return lines


@pytest.fixture
def hurried(monkeypatch):
    """Seconds of the stream are hundredths."""
    monkeypatch.setattr(live, "LIVE_EVERY_S", 0.01)
    monkeypatch.setattr(live, "STREAM_HEARTBEAT_S", 0.02)


@pytest.fixture
def told(monkeypatch):
    """Whatever is told to stop here goes on afterwards."""
    monkeypatch.setattr(stopping, "_told", [])


def changed(line):
    head, _, data = line.partition("\n")
    assert head == "event: changed", line
    return json.loads(data.removeprefix("data: "))


async def following(lines, what):
    async for line in lines:
        if line.startswith(what):
            return line
    raise AssertionError(f"the stream ended without {what!r}")


async def test_stream_says_what_is_stored_and_each_change(stream, store, ledger, hurried):
    await store.store(ledger.attributed("r-1", cost=1500))
    lines = await stream()

    assert await anext(lines) == "retry: 1000\n\n"
    first = changed(await anext(lines))
    await store.store(ledger.attributed("r-2", cost=7))
    second = changed(await following(lines, "event: changed"))

    assert (first["events"], first["total_nano"], first["total_usd"]) == (1, 1500, "0.0000015")
    assert (second["events"], second["total_nano"]) == (2, 1507)


async def test_stream_ends_in_peace_where_the_store_is_away(stream, free_port, caplog):
    away = CostStore(connect(f"redis://127.0.0.1:{free_port}/0"))

    lines = [line async for line in await stream(store=away)]

    assert lines == ["retry: 1000\n\n"]
    assert "a live stream ends: Redis does not answer" in caplog.text


async def test_who_connects_again_has_missed_nothing(stream, store, ledger, hurried):
    lines = await stream()
    assert changed(await following(lines, "event"))["events"] == 0
    await lines.aclose()
    await store.store(ledger.attributed("r-1", cost=1500))

    again = await stream()

    assert changed(await following(again, "event"))["total_nano"] == 1500


async def test_event_that_comes_twice_is_no_change(stream, store, ledger, hurried):
    event = ledger.attributed("r-1", cost=1500)
    await store.store(event)
    lines = await stream()
    await following(lines, "event: changed")

    await store.store(event)

    assert await anext(lines) == ": heartbeat\n\n"


async def test_silence_is_filled_with_heartbeats(stream, hurried):
    lines = await stream()
    await following(lines, "event: changed")

    assert [await anext(lines) for _ in range(3)] == [": heartbeat\n\n"] * 3


async def test_nothing_of_another_tenant_is_said(stream, store, ledger, hurried):
    other = ledger_events.Ledger(tenant=f"{ledger.tenant}-other")
    lines = await stream()
    await following(lines, "event: changed")

    await store.store(other.attributed("r-1", cost=1500))

    assert await anext(lines) == ": heartbeat\n\n"


async def test_stream_ends_after_its_time_and_is_opened_again(stream, hurried, monkeypatch):
    monkeypatch.setattr(live, "LIVE_MAX_S", 0.05)

    lines = [line async for line in await stream()]

    assert lines[0] == "retry: 1000\n\n"
    assert changed(lines[1])["events"] == 0


async def test_stream_ends_when_the_process_is_told_to_stop(stream, told):
    lines = await stream()
    await following(lines, "event: changed")

    stopping.stop()

    assert [line async for line in lines] == []
    assert len([line async for line in await stream()]) == 1


@pytest.mark.parametrize(("headers", "query", "status"), [
    ({}, "", 401), ({"authorization": "Bearer wrong"}, "", 401),
    ({"authorization": f"Bearer {POOR_KEY}"}, "", 403), (AUTHORIZED, "?tenant=other", 403)],
    ids=["no-key", "unknown-key", "no-right", "other-tenant"])
async def test_stream_needs_a_key_of_the_tenant(http, headers, query, status):
    http.headers.pop("authorization")

    assert (await http.get(f"/v1/live{query}", headers=headers)).status_code == status


def test_platform_key_listens_to_another_tenant(settings, started, ledger):
    keys = json.loads(settings.api_keys.read_text())
    keys.append({"key_sha256": hash_key("tg_all"), "tenant": "platform",
                 "rights": ["costs", "platform"]})
    settings.api_keys.write_text(json.dumps(keys))
    process = started()
    process.deliver(ledger.attributed("r-1", cost=1500))

    with httpx2.stream("GET", f"{process.url}/v1/live?tenant={ledger.tenant}",
                       headers={"authorization": "Bearer tg_all"}, timeout=20) as answer:
        said = next(line for line in answer.iter_lines() if line.startswith("data"))

    assert json.loads(said.removeprefix("data: "))["total_nano"] == 1500


def test_process_with_an_open_stream_stops_at_once_and_keeps_what_came(started, ledger):
    process = started()
    listening, lines = threading.Event(), []

    def listen():
        with httpx2.stream("GET", f"{process.url}/v1/live", headers=AUTHORIZED,
                           timeout=90) as answer:
            for line in answer.iter_lines():
                lines.append(line)
                if line.startswith("event: changed"):
                    listening.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert listening.wait(20)
    process.deliver(ledger.attributed("r-1", cost=1500))
    told_at = time.monotonic()

    status, _ = process.stop()
    listener.join(20)

    assert status in (0, -signal.SIGTERM)
    assert time.monotonic() - told_at < live.LIVE_MAX_S / 3, "it waited for the stream's own end"
    assert not listener.is_alive()
    assert started().get("/v1/costs")["total_nano"] == 1500
