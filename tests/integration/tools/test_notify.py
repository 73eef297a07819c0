import json
from types import SimpleNamespace

import pytest

from functions.tools.declare import Context, ToolError
from functions.tools.notify.tool import notify
from shared.limits import NOTIFY_ATTEMPTS_MAX

pytestmark = pytest.mark.anyio


def telling(url, *, is_private_allowed=True, **more):
    settings = SimpleNamespace(is_private_allowed=is_private_allowed)
    context = Context(idempotency_key="call-1", tenant="t", task="task-1", settings=settings)
    checked = notify.arguments.model_validate({"url": url, "message": "done"} | more)
    return notify.call(checked, context)


def keys(webhook):
    return [{k.lower(): v for k, v in headers.items()}["idempotency-key"]
            for _, _, headers, _ in webhook.requests]


async def test_a_message_is_posted_once_with_the_calls_key(webhook):
    delivered = await telling(webhook.url, data={"sum": "12.50"})

    ((method, path, _, body),) = webhook.requests
    assert (method, path) == ("POST", "/hook")
    assert json.loads(body) == {"message": "done", "data": {"sum": "12.50"}, "task": "task-1"}
    assert keys(webhook) == ["call-1"]
    assert (delivered.status, delivered.attempts) == (200, 1)


async def test_a_busy_receiver_is_asked_again_with_the_same_key(webhook):
    webhook.answers = [(503, {}, b""), (429, {}, b""), (200, {}, b"")]

    delivered = await telling(webhook.url)

    assert keys(webhook) == ["call-1"] * 3
    assert delivered.attempts == 3


async def test_attempts_are_bounded(webhook):
    webhook.answers = [(500, {}, b"")]

    with pytest.raises(ToolError, match="500"):
        await telling(webhook.url)

    assert len(webhook.requests) == NOTIFY_ATTEMPTS_MAX


@pytest.mark.parametrize("status", [302, 400, 404])
async def test_a_refusal_is_not_repeated(webhook, status):
    webhook.answers = [(status, {"location": "http://127.0.0.1/"}, b"")]

    with pytest.raises(ToolError, match=str(status)):
        await telling(webhook.url)

    assert len(webhook.requests) == 1


async def test_a_private_address_is_not_told_unless_allowed(webhook):
    with pytest.raises(ToolError, match="private"):
        await telling(webhook.url, is_private_allowed=False)

    assert webhook.requests == []
