"""Runs a tool once, within its time, and turns whatever happens into data for the model."""

import asyncio
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from eventing.types import ToolFailure
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
    try:
        async with asyncio.timeout(tool.timeout_s):
            value = await _called(tool, arguments, context)
        return _sized(canonical(tool.returns.dump_python(value, mode="json", warnings="error")))
    except ToolError as error:
        return None, ToolFailure(code="failed", message=str(error))
    except TimeoutError:
        return None, ToolFailure(code="timeout", message=f"{tool.name} took longer than "
                                                         f"{tool.timeout_s:g} s")
    except Exception as error:
        log.exception("tool %s crashed", tool.name)
        return None, ToolFailure(code="failed", message=f"{tool.name} crashed: "
                                                        f"{type(error).__name__}")


async def _called(tool: Tool[Any], arguments: dict[str, Any], context: Context[Any]) -> Any:
    checked = tool.arguments.model_validate(arguments)
    if tool.is_async:
        return await tool.call(checked, context)
    return await _in_thread(lambda: tool.call(checked, context))


async def _in_thread(call: Any) -> Any:
    """Run the call in a thread of its own: a hanging one takes no slot of a pool with it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def tell(value: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def work() -> None:
        value, fault = None, None
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting coroutine
            fault = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, value, fault)

    threading.Thread(target=work, name="tool", daemon=True).start()
    return await future


def _sized(result: str) -> tuple[str | None, ToolFailure | None]:
    size = len(result.encode())
    if size <= CLAIM_CHECK_BYTES_MAX:
        return result, None
    return None, ToolFailure(
        code="too_large", message=f"the result has {size} bytes, the maximum is "
        f"{CLAIM_CHECK_BYTES_MAX}: ask for a part of it")
