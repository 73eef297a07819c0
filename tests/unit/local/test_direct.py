"""A function of the adapter is called by itself; any other keeps the framework around it."""

import pytest
from starlette.responses import PlainTextResponse

from eventing.adapter import App, serve
from eventing.local.serve import _direct
from shared.errors import Permanent

pytestmark = pytest.mark.anyio


class Framed:
    """What the framework would have done, and how often it was asked."""

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, receive, send):
        self.asked.append(scope["type"])


async def asked(application, kind="http", path="/nowhere"):
    """Return the messages that an application sends to one request."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    await application({"type": kind, "method": "GET", "path": path, "headers": [],
                       "query_string": b"", "root_path": ""}, receive, send)
    return sent


async def test_adapters_function_answers_every_path_and_failure_itself():
    framed = Framed()

    sent = await asked(_direct(framed, serve(App(name="test"))))

    assert framed.asked == []
    assert sent[0]["status"] == 404
    assert b"no route GET /nowhere" in sent[1]["body"]


async def test_failure_inside_is_an_answer_too():
    async def start():
        raise Permanent("cannot start")

    sent = await asked(_direct(Framed(), serve(App(name="test", start=start))))

    assert sent[0]["status"] == 422


async def test_start_and_end_of_the_server_stay_the_frameworks():
    framed = Framed()

    await asked(_direct(framed, serve(App(name="test"))), kind="lifespan")

    assert framed.asked == ["lifespan"]


async def test_any_other_function_keeps_the_framework():
    async def bare(_):
        return PlainTextResponse("hello")

    framed = Framed()

    assert _direct(framed, bare) is framed
