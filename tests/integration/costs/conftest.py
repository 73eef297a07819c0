"""The same ledger events as the unit tests, and a cost store in a real Redis."""

import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request

from eventing.adapter import serve
from eventing.http import encode_binary
from functions.costs.host import app
from functions.costs.settings import CostsSettings
from functions.costs.store.store import CostStore
from shared.auth import hash_key
from shared.store import connect

_AT = Path(__file__).parents[2] / "unit" / "costs" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("ledger_events", _AT)
ledger_events = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(ledger_events)
MAIN = Path(__file__).parents[3] / "functions" / "costs" / "main.py"
_NUMBER = itertools.count()


@pytest.fixture
def ledger():
    return ledger_events.Ledger(tenant=f"costs-{next(_NUMBER)}")


@asynccontextmanager
async def opened(url):
    client = connect(url)
    yield client
    await client.aclose()
    await client.connection_pool.disconnect()


@pytest.fixture
async def redis(redis_url):
    async with opened(redis_url) as client:
        yield client


@pytest.fixture
def store(redis):
    return CostStore(redis)


KEY, POOR_KEY = "tg_local", "tg_tasks_only"


@pytest.fixture
def settings(tmp_path, redis_url, ledger, free_port):
    """Settings whose keys belong to the ledger's tenant; nobody listens at the ledger's address."""
    keys = [{"key_sha256": hash_key(KEY), "tenant": ledger.tenant, "rights": ["costs"]},
            {"key_sha256": hash_key(POOR_KEY), "tenant": ledger.tenant, "rights": ["tasks"]}]
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    return CostsSettings(redis_url=redis_url, ledger_url=f"http://127.0.0.1:{free_port}",
                         api_keys=tmp_path / "keys.json")


def asgi_of(handle):
    """The function as an ASGI application, as functions-framework calls it."""

    async def asgi(scope, receive, send):
        response = await handle(Request(scope, receive))
        await response(scope, receive, send)

    return asgi


def client_of(settings, redis):
    transport = httpx2.ASGITransport(asgi_of(serve(app(settings, redis))))
    return httpx2.AsyncClient(transport=transport, base_url="http://costs",
                             headers={"authorization": f"Bearer {KEY}"})


@pytest.fixture
async def http(settings, redis):
    async with client_of(settings, redis) as client:
        yield client


@pytest.fixture
async def away(settings, free_port):
    """The function while no Redis answers."""
    gone = opened(f"redis://127.0.0.1:{free_port}/0")
    async with gone as redis, client_of(settings, redis) as client:
        yield client


class Process:
    """The function in a process of its own, as its image runs it."""

    def __init__(self, settings, port, **extra):
        self.url = f"http://127.0.0.1:{port}"
        env = {"PATH": os.environ["PATH"], "PORT": str(port), "REDIS_URL": settings.redis_url,
               "LEDGER_URL": settings.ledger_url, "TOLLGATE_API_KEYS": str(settings.api_keys)}
        command = [sys.executable, "-m", "eventing.local.serve", "--source", str(MAIN)]
        self._process = subprocess.Popen(command, env=env | extra, cwd=MAIN.parents[2],
                                         stderr=subprocess.PIPE)

    def wait_until_ready(self):
        for _ in range(400):
            with suppress(httpx2.HTTPError):
                return httpx2.get(f"{self.url}/health", timeout=5)
            time.sleep(0.05)
        raise AssertionError("the function does not answer")

    def deliver(self, *events):
        for event in events:
            headers, body = encode_binary(event)
            answer = httpx2.post(f"{self.url}/", headers=headers, content=body, timeout=30)
            assert answer.status_code == 204, answer.text

    def get(self, path):
        return httpx2.get(f"{self.url}{path}", headers={"authorization": f"Bearer {KEY}"}).json()

    def stop(self):
        """End the process; return its exit status and everything it logged."""
        if self._process.poll() is None:
            self._process.terminate()
        _, log = self._process.communicate(timeout=30)
        return self._process.returncode, log.decode()


@pytest.fixture
def started(settings):
    running = []

    def start(**extra):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        running.append(Process(settings, port, **extra))
        running[-1].wait_until_ready()
        return running[-1]

    yield start
    logs = [process.stop()[1] for process in running]
    assert not [log for log in logs if "unexpected failure" in log], logs
