"""A function for tests of the runtime: what it does is asked for in the request."""

import asyncio
import gzip
import os
from pathlib import Path

import functions_framework.aio
from starlette.responses import JSONResponse, Response, StreamingResponse

COUNT = {"running": 0, "most": 0}


@functions_framework.aio.http
async def handle(request):
    if request.url.path == "/health":
        return Response(status_code=200)
    if request.url.path == "/stream":
        return StreamingResponse(ticks(), media_type="text/event-stream")
    if request.url.path == "/empty":
        return Response(status_code=204, headers={"x-twice": "1"})
    if request.url.path == "/zipped":
        return Response(gzip.compress(b"text"), headers={"content-encoding": "gzip"})
    if request.url.path == "/die":
        os._exit(7)
    COUNT["running"] += 1
    COUNT["most"] = max(COUNT.values())
    try:
        return await answer(request)
    finally:
        COUNT["running"] -= 1


async def answer(request):
    body = await request.body()
    wait_s = float(request.query_params.get("wait", request.headers.get("ce-wait", "0")))
    await asyncio.sleep(wait_s)
    if "ce-id" in request.headers:
        with Path(os.environ["SEEN"]).open("a") as file:
            file.write(request.headers["ce-id"] + "\n")
        if "PATHS" in os.environ:
            with Path(os.environ["PATHS"]).open("a") as file:
                file.write(request.url.path + "\n")
        return Response(status_code=int(request.headers.get("ce-answer", "204")))
    return JSONResponse({"pid": os.getpid(), "ppid": os.getppid(), "method": request.method,
                         "path": request.url.path, "body": body.decode(), "most": COUNT["most"],
                         "env": dict(os.environ), "headers": dict(request.headers)})


async def ticks():
    for number in range(3):
        yield f"data: {number}\n\n"
        await asyncio.sleep(0.01)
