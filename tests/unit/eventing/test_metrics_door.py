"""Metrics hold figures of all tenants: they leave for Prometheus, never by a route."""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from eventing.adapter import App, serve

pytestmark = pytest.mark.anyio


async def own(_):
    return PlainTextResponse("figures")


async def status(*headers, routes=(), path="/metrics"):
    handle = serve(App(name="test", routes=routes))
    answer = await handle(Request({
        "type": "http", "method": "GET", "path": path, "query_string": b"", "root_path": "",
        "server": ("test", 80), "scheme": "http", "headers": list(headers)}))
    return answer.status_code


@pytest.mark.parametrize("routes", [(), (Route("/metrics", own),)], ids=["default", "own"])
@pytest.mark.parametrize("header", [(b"forwarded", b"for=10.0.0.1"),
                                    (b"x-forwarded-for", b"10.0.0.1, 10.0.0.2")])
async def test_metrics_are_not_told_by_a_route(routes, header):
    assert await status(routes=routes) == 200
    assert await status(header, routes=routes) == 403


async def test_other_paths_do_not_mind_a_route():
    assert await status((b"x-forwarded-for", b"10.0.0.1"), path="/health") == 200
