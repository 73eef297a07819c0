"""Runs a tool once, within its time, and turns whatever happens into data for the model."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from eventing.types_tool import ToolFailure
from functions.tools.declare import Context, Tool, ToolError
from shared.ids import canonical
from shared.limits import CLAIM_CHECK_BYTES_MAX
from shared.metering import Permit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run came to: a result as canonical JSON, or a failure."""

    result: str | None = None
    failure: ToolFailure | None = None
    duration_ms: int = 0


def refusal(tool: Tool[Any], arguments: Any) -> ToolFailure | None:
    """Return why the arguments cannot be used, with a path per fault, or `None`."""
    try:
        tool.arguments.model_validate(arguments)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'arguments'}: {f['msg']}"
                         for f in faults)
        return ToolFailure(code="invalid_arguments", message=told)
    return None


async def run(tool: Tool[Any], arguments: dict[str, Any], context: Context[Any],
              permit: Permit) -> Ran:
    """Run the tool, as the permit allows, with arguments that `refusal` passed; never raises."""
    log.debug("running %s", tool.name, extra={"reservation": permit.reservation_id})
    began = time.perf_counter()
    result, failure = await _outcome(tool, arguments, context)
    return Ran(result, failure, round((time.perf_counter() - began) * 1000))


async def _outcome(tool: Tool[Any], arguments: dict[str, Any],
                   context: Context[Any]) -> tuple[str | None, ToolFailure | None]:
    running = asyncio.ensure_future(_called(tool, arguments, context))
    try:
        await asyncio.wait({running}, timeout=tool.timeout_s)
        if not running.done():
            return None, ToolFailure(code="timeout", message=f"{tool.name} took longer than "
                                                             f"{tool.timeout_s:g} s")
    finally:
        running.cancel()
    if error := running.exception():
        return None, _failure(tool, error)
    return _sized(running.result())


def _failure(tool: Tool[Any], error: BaseException) -> ToolFailure:
    """Return what the model may know: a tool's own error whole, of a crash only its kind."""
    if isinstance(error, ToolError):
        return ToolFailure(code="failed", message=str(error))
    log.error("tool %s crashed", tool.name, exc_info=error)
    return ToolFailure(code="failed", message=f"{tool.name} crashed: {type(error).__name__}")


async def _called(tool: Tool[Any], arguments: dict[str, Any], context: Context[Any]) -> str:
    """Return the result as canonical JSON."""
    checked = tool.arguments.model_validate(arguments)
    called = partial(tool.call, checked, context)
    value = await (called() if tool.is_async else _in_thread(called))
    return canonical(tool.returns.dump_python(value, mode="json", warnings="error"))


async def _in_thread(call: Callable[[], Any]) -> Any:
    """Run the call in a thread of its own: a hanging one takes no slot of a pool with it."""
    future: Future[Any] = Future()

    def work() -> None:
        with _Told(future):
            future.set_result(call())

    threading.Thread(target=work, name="tool", daemon=True).start()
    return await asyncio.wrap_future(future)


class _Told:
    """Hands whatever the block raises to a future: its reader decides what that means."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> bool:
        """Keep the error away from the thread, if anybody still waits."""
        if error is not None and not self._future.done():
            self._future.set_exception(error)
        return True


def _sized(result: str) -> tuple[str | None, ToolFailure | None]:
    size = len(result.encode())
    if size <= CLAIM_CHECK_BYTES_MAX:
        return result, None
    return None, ToolFailure(
        code="too_large", message=f"the result has {size} bytes, the maximum is "
        f"{CLAIM_CHECK_BYTES_MAX}: ask for a part of it")
