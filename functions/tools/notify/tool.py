"""Tells a webhook something, once per call."""

import json
from typing import Annotated, Any

import httpx2
from pydantic import BaseModel, Field
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from functions.tools.declare import Context, Price, ToolError, tool
from functions.tools.notify.settings import NotifySettings
from functions.tools.outside import checked, client_for
from shared.limits import NOTIFY_ATTEMPTS_MAX, NOTIFY_TIMEOUT_S


class Delivered(BaseModel):
    """What the receiver answered."""

    status: int
    attempts: int


class _Again(ToolError):
    """The receiver may take the same message later."""


@tool(version="1.0.0", idempotent=True, changes_world=True, price=Price.free(), timeout_s=60)
async def notify(
    context: Context[NotifySettings],
    url: Annotated[str, Field(max_length=2048, description="The webhook's http(s) address.")],
    message: Annotated[str, Field(min_length=1, max_length=4000, description="What to tell.")],
    data: Annotated[dict[str, Any], Field(
        description="Figures or references that a program may read.")] = {},  # noqa: B006
) -> Delivered:
    """Post a message to a webhook, once.

    Every attempt carries the same Idempotency-Key, by which the receiver knows a repetition.

    Raises:
        ToolError: the address is not allowed, or the receiver refused or never answered.
    """
    target = await checked(url, is_private_allowed=context.settings.is_private_allowed)
    client = client_for(target)
    request = target.request(
        client, "POST", NOTIFY_TIMEOUT_S, headers=_headers(context),
        content=json.dumps({"message": message, "data": data, "task": context.task}).encode())
    retrying = AsyncRetrying(
        stop=stop_after_attempt(NOTIFY_ATTEMPTS_MAX), reraise=True,
        wait=wait_exponential(multiplier=0.2, max=2.0), retry=retry_if_exception_type(_Again))
    async for attempt in retrying:
        with attempt:
            status = await _sent(client, request)
    return Delivered(status=status, attempts=attempt.retry_state.attempt_number)


def _headers(context: Context[NotifySettings]) -> dict[str, str]:
    return {"content-type": "application/json", "user-agent": "tollgate-notify/1",
            "idempotency-key": context.idempotency_key}


async def _sent(client: httpx2.AsyncClient, request: httpx2.Request) -> int:
    try:
        answer = await client.send(request)
    except httpx2.HTTPError as error:
        raise _Again(f"the receiver did not answer: {type(error).__name__}") from error
    if answer.status_code >= 500 or answer.status_code in (408, 409, 425, 429):
        raise _Again(f"the receiver answered {answer.status_code}")
    if not answer.is_success:
        raise ToolError(f"the receiver refused with {answer.status_code}")
    return answer.status_code
