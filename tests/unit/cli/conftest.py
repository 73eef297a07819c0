"""A command line whose functions are a table of answers."""

import functools
import json

import httpx2
import pytest
from typer.testing import CliRunner

from eventing.cli import remote
from eventing.cli.main import app


class Functions:
    """Answers by method and path, in turn if it is a list; remembers what was asked."""

    def __init__(self):
        self.answers, self.asked = {}, []

    def __call__(self, request):
        self.asked.append(request)
        answer = self.answers.get((request.method, request.url.path), (404, {}))
        status, body = answer.pop(0) if isinstance(answer, list) else answer
        if isinstance(body, Exception):
            raise body
        content = body if isinstance(body, str) else json.dumps(body)
        return httpx2.Response(status, content=content)

    def body(self, number=-1):
        return json.loads(self.asked[number].content)


@pytest.fixture
def functions(monkeypatch):
    table = Functions()
    client = functools.partial(httpx2.Client, transport=httpx2.MockTransport(table))
    monkeypatch.setattr(remote.httpx2, "Client", client)
    for name in ("GATEWAY", "LEDGER", "COSTS", "DEADLETTERS", "DASHBOARD"):
        monkeypatch.setenv(f"TOLLGATE_{name}", f"http://{name.lower()}.test")
    monkeypatch.setenv("TOLLGATE_API_KEY", "tg_key")
    return table


@pytest.fixture
def tollgate():
    """Run a command; a failure is its result's exception."""
    return functools.partial(CliRunner().invoke, app)
