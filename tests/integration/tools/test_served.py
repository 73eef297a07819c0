"""The calculator and the ledger as real processes, a fake broker between them."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import yaml
from pydantic import SecretStr
from redis import Redis

from eventing.event import Event
from eventing.http import encode_binary
from eventing.types_tool import ToolCompleted, ToolRequested
from functions.tools.catalogue import ROOT, TARGET
from shared.auth import Grant, TaskLimits, hash_key, new_key, sign
from shared.toolcalls.rows import row

KEY = "k" * 32
TENANT = "served"


@contextmanager
def process(source, port, env):
    """One function served as the runtime serves it."""
    child = subprocess.Popen(
        [sys.executable, "-m", "eventing.local.serve", "--source", source],
        cwd=ROOT, env={**os.environ, **env, "PORT": str(port)}, stderr=subprocess.PIPE)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", child)
        yield child
    finally:
        child.kill()
        child.wait()
        child.stderr.close()


def wait_for(url, child, bound_s=60):
    ends = time.monotonic() + bound_s
    while time.monotonic() < ends:
        try:
            if httpx2.get(url, trust_env=False).is_success:
                return
        except httpx2.TransportError:
            assert child.poll() is None, child.stderr.read().decode()
            time.sleep(0.02)
    raise AssertionError(f"{url} never answered")


@pytest.fixture(scope="module")
def ports():
    import socket

    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(2)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture(scope="module")
def broker(webhooks):
    webhooks.answers = [(202, {}, b"")]
    return webhooks


@pytest.fixture(scope="module")
def api_key():
    return new_key()


@pytest.fixture(scope="module")
def env(redis_url, ports, broker, api_key, tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("served")
    (folder / "keys.json").write_text(json.dumps(
        [{"key_sha256": hash_key(api_key), "tenant": TENANT, "rights": ["tasks"]}]))
    (folder / "catalogue.json").write_text(
        yaml.safe_load(TARGET.read_text())["data"]["catalogue.json"])
    return {"REDIS_URL": redis_url, "BROKER_URL": broker.url, "TOLLGATE_GRANT_KEY": KEY,
            "LEDGER_URL": f"http://127.0.0.1:{ports[0]}",
            "TOLLGATE_API_KEYS": str(folder / "keys.json"),
            "TOLLGATE_CATALOGUE": str(folder / "catalogue.json")}


@pytest.fixture(scope="module")
def ledger(env, ports):
    with process("functions/ledger/main.py", ports[0], env) as child:
        yield child


@pytest.fixture(scope="module")
def calculator(env, ports, ledger):
    with process("functions/tools/calculator/main.py", ports[1], env):
        address = f"http://127.0.0.1:{ports[1]}"
        with httpx2.Client(base_url=address, trust_env=False, timeout=30) as client:
            yield client


def delivery(call_id, grant=None):
    asked = ToolRequested(call_id=call_id, tool="calculator", version="1.0.0", step=1,
                          arguments={"expressions": {"a": "2+3"}},
                          deadline_at=time.time() + 60)
    task = f"task-{call_id}"
    signed = sign(Grant(tenant=TENANT, agent="researcher", session="s", root=task,
                        limits=TaskLimits(task=task, usd=10**9, tok=8192), exp=2**40),
                  SecretStr(KEY))
    event = Event.of(asked, type=ToolRequested.TYPE, id=f"request-{call_id}",
                     source="/researcher", taskid=task, tenantid=TENANT, replyto="researcher",
                     partitionkey=task, hops=1, grant=signed if grant is None else grant,
                     traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    headers, content = encode_binary(event)
    return {"headers": headers, "content": content}


def completions(broker, call_id):
    """Return the outcomes published for a call; the ledger publishes its own events beside."""
    found = ((dict(headers), json.loads(body)) for _, _, headers, body in broker.requests)
    return [(headers, data) for headers, data in found
            if headers.get("ce-type") == ToolCompleted.TYPE and data["call_id"] == call_id]


def test_an_event_becomes_one_published_outcome(calculator, broker):
    call_id = uuid4().hex
    for _ in range(2):
        answer = calculator.post("/", **delivery(call_id))
        assert (answer.status_code, answer.content) == (204, b"")

    ((headers, data),) = completions(broker, call_id)
    assert data["result"] == {"a": {"exact": "5", "rounded": "5.00"}}
    assert headers["ce-replyto"] == "researcher"
    assert "0af7651916cd43dd8448eb211c80319c" in headers["ce-traceparent"]


@pytest.mark.parametrize("grant", ["", "forged"])
def test_without_a_grant_nothing_happens(calculator, broker, grant):
    answer = calculator.post("/", **delivery(f"forged-{grant}", grant))

    assert answer.status_code == 401
    assert completions(broker, f"forged-{grant}") == []


def test_invoke_runs_the_tool_once_per_key(calculator, api_key):
    headers = {"authorization": f"Bearer {api_key}", "idempotency-key": "same"}
    body = {"arguments": {"expressions": {"a": "1/4"}}}

    first = calculator.post("/invoke", json=body, headers=headers)
    second = calculator.post("/invoke", json=body, headers=headers)

    assert first.status_code == 200
    assert first.json()["result"]["a"]["exact"] == "0.25"
    assert second.json() == first.json()


@pytest.mark.parametrize(("body", "status"), [
    ({"arguments": {"expressions": {}}}, 422), ({"arguments": {}}, 422), ({}, 422),
    ({"arguments": {"expressions": {"a": "1"}}, "more": 1}, 422)])
def test_a_bad_invocation_is_a_problem_with_a_path(calculator, api_key, body, status):
    answer = calculator.post("/invoke", json=body,
                             headers={"authorization": f"Bearer {api_key}"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_invoke_needs_a_key(calculator):
    assert calculator.post("/invoke", json={}).status_code == 401


def test_the_contract_and_the_checks_are_served(calculator):
    assert calculator.get("/contract").json()["name"] == "calculator"
    assert calculator.get("/ready").json()["checks"] == {"redis": "ok"}
    assert calculator.get("/metrics").is_success


@pytest.mark.parametrize("point", [
    "tool_after_claim", "tool_after_start", "tool_after_store", "tool_after_publish"])
def test_killed_on_the_way_the_call_ends_once(
        calculator, broker, env, redis_url, free_port, tmp_path, point):
    armed = {**env, "TOLLGATE_FAULT": f"calculator:{point}", "TOLLGATE_FAULT_DIR": str(tmp_path)}
    call_id = f"killed-{point}-{uuid4().hex}"  # the broker is one for all servers
    with process("functions/tools/calculator/main.py", free_port, armed) as child:
        with pytest.raises(httpx2.TransportError):
            httpx2.post(f"http://127.0.0.1:{free_port}/", trust_env=False, **delivery(call_id))
        assert child.wait(30) == -signal.SIGKILL
    with Redis.from_url(redis_url) as redis:
        assert calculator.post("/", **delivery(call_id)).status_code == 409
        redis.hset(row(TENANT, call_id), "until", 0)  # the lease is over

    assert calculator.post("/", **delivery(call_id)).status_code == 204

    found = completions(broker, call_id)
    assert {headers["ce-id"] for headers, _ in found} == {found[0][0]["ce-id"]}
    assert all(data["result"]["a"]["exact"] == "5" for _, data in found)
    assert len(found) == (2 if point == "tool_after_publish" else 1)
