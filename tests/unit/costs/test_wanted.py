"""What takes long ends with its caller."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request

from functions.costs.routes.wanted import while_wanted
from shared.errors import Transient

pytestmark = pytest.mark.anyio


def request_of(*messages, ends):
    left = list(messages)

    async def receive():
        if not left:
            await ends.wait()
            return {"type": "http.disconnect"}
        return left.pop(0)

    return Request({"type": "http", "headers": []}, receive)


BODY = {"type": "http.request", "body": b"", "more_body": False}


async def test_work_ends_when_its_caller_has_gone():
    leaves, ended = asyncio.Event(), []

    async def work():
        try:
            leaves.set()
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(ClientDisconnect):
        await asyncio.wait_for(while_wanted(request_of(BODY, ends=leaves), work()), 10)

    assert ended == [True]


async def test_caller_who_waits_gets_the_answer_or_the_error():
    async def answers():
        return "done"

    async def fails():
        raise Transient("away")

    request = request_of(BODY, ends=asyncio.Event())

    assert await while_wanted(request, answers()) == "done"
    with pytest.raises(Transient, match="away"):
        await while_wanted(request, fails())
