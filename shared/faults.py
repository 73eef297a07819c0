"""Kills this process at a named point, when a test armed it: the crash matrix's trigger.

Off unless `TOLLGATE_FAULT` is set (no manifest sets it): `<function>:<point>[:<nth>]`, and
`TOLLGATE_FAULT_DIR`, where a marker file makes one kill happen once over all processes.
"""

import os
import signal
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path


class FaultPoint(StrEnum):
    """Every await of a delivery after which the process may die."""

    BEFORE_RECORD = "before_record"
    AFTER_RECORD = "after_record"
    BEFORE_CLAIM = "before_claim"
    AFTER_CLAIM = "after_claim"
    AFTER_RESERVE = "after_reserve"
    AFTER_ANSWER = "after_answer"
    BEFORE_SETTLE = "before_settle"
    AFTER_SETTLE = "after_settle"
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    BETWEEN_PUBLISHES = "between_publishes"
    AFTER_PUBLISH = "after_publish"
    BEFORE_RESPONSE = "before_response"
    TOOL_AFTER_CLAIM = "tool_after_claim"
    TOOL_AFTER_RESERVE = "tool_after_reserve"
    TOOL_AFTER_START = "tool_after_start"
    TOOL_AFTER_RUN = "tool_after_run"
    TOOL_AFTER_STORE = "tool_after_store"
    TOOL_AFTER_SETTLE = "tool_after_settle"
    TOOL_BEFORE_PUBLISH = "tool_before_publish"
    TOOL_AFTER_PUBLISH = "tool_after_publish"
    LEDGER_BEFORE_SCRIPT = "ledger_before_script"
    LEDGER_AFTER_SCRIPT = "ledger_after_script"
    LEDGER_AFTER_PUBLISH = "ledger_after_publish"
    STOP_AFTER_WRITE = "stop_after_write"
    STOP_BETWEEN_TENANTS = "stop_between_tenants"
    STOP_AFTER_PUBLISH = "stop_after_publish"
    TASK_BEFORE_END = "task_before_end"
    TASK_AFTER_END = "task_after_end"
    COSTS_BEFORE_STORE = "costs_before_store"
    COSTS_AFTER_STORE = "costs_after_store"
    COSTS_AFTER_END = "costs_after_end"
    SUBMIT_AFTER_COMMIT = "submit_after_commit"
    SUBMIT_AFTER_PUBLISH = "submit_after_publish"


class _Armed:
    """The one fault of this process, if any."""

    def __init__(self) -> None:
        self.point: str | None = None
        self.nth = 1
        self.folder = Path()
        self.reached = 0


_armed = _Armed()


def arm(function: str, environ: Mapping[str, str]) -> None:
    """Arm the fault that the environment names, if it names this function."""
    name, _, rest = environ.get("TOLLGATE_FAULT", "").partition(":")
    if name == function and rest:
        point, _, nth = rest.partition(":")
        _armed.point, _armed.nth = FaultPoint(point).value, int(nth or 1)
        _armed.folder = Path(environ["TOLLGATE_FAULT_DIR"])


async def reach(point: FaultPoint) -> None:
    """Die here with SIGKILL if this point is armed and no process died at it before."""
    if _armed.point != point:
        return
    _armed.reached += 1
    if _armed.reached < _armed.nth:
        return
    try:
        (_armed.folder / "killed").touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
