"""The least a function can be."""

import functions_framework.aio


@functions_framework.aio.http
async def handle(request):
    """Answer."""
    return "hello"
