"""Collects what a demo showed, by asking the functions and reading their logs."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from eventing.cli.exits import Exit, Failure
from eventing.cli.remote import Remote
from eventing.local.manifests.deployment import load

POLL_S = 0.1
SETTLED_S = 15.0
"""Until every event has reached the cost store, and for all functions to come to rest."""


class Collector:
    """Asks the functions of one running demo."""

    def __init__(self, remote: Remote, manifests: Path) -> None:
        self._remote = remote
        self.always_on = _always_on(manifests)

    def task(self, task: str) -> dict[str, Any]:
        """Return a task with its result."""
        found: dict[str, Any] = self._remote.ask("GET", "gateway", f"/tasks/{task}")
        return found

    def money(self) -> dict[str, Any]:
        """Return the ledger's summary and the cost store's sums, once the store has it all."""
        until = time.monotonic() + SETTLED_S
        while True:
            summary = self._remote.ask("GET", "ledger", "/v1/summary")
            gaps = self._remote.ask("GET", "costs", "/v1/gaps")
            if gaps["events"] == summary["events"] or time.monotonic() > until:
                break
            time.sleep(POLL_S)
        sums = {f"by_{name}": self._remote.ask("GET", "costs", "/v1/costs",
                                               params={"group_by": name})
                for name in ("agent", "tool", "model")}
        return {"summary": summary, "gaps": gaps, **sums}

    def functions(self) -> list[dict[str, Any]]:
        """Return every function with its counts."""
        found: list[dict[str, Any]] = self._remote.ask("GET", "dashboard", "/status")["functions"]
        return found

    def records(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the journal behind a number."""
        found: list[dict[str, Any]] = self._remote.ask(
            "GET", "dashboard", "/events", params={"after": after})["events"]
        return found

    def until(self, holds: Callable[[], bool], *, timeout_s: float = SETTLED_S) -> bool:
        """Wait until something holds, at most `timeout_s`; return whether it does."""
        end = time.monotonic() + timeout_s
        while not (held := holds()) and time.monotonic() < end:
            time.sleep(POLL_S)
        return held


def _always_on(manifests: Path) -> frozenset[str]:
    services = load(manifests).services.items()
    return frozenset(name for (_, name), service in services
                     if int(service.spec.template.metadata.annotations.get(
                         "autoscaling.knative.dev/min-scale") or 0))


def traces_of(task: str, logs: Path) -> dict[str, frozenset[str]]:
    """Return the functions that wrote a line about the task, by the line's trace id."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in _lines(logs.glob("*.log")):
        about = {line.get("task"), (line.get("attributes") or {}).get("agent.task_id")}
        if task in about and line.get("trace_id"):
            found[str(line["trace_id"])].add(str(line.get("function")))
    return {trace: frozenset(functions) for trace, functions in found.items()}


def _lines(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for text in file.read_text(errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # a server's own words
            if isinstance(line, dict):
                yield line


def read(file: Path) -> str:
    """Return a file of the demo.

    Raises:
        Failure: it is not there.
    """
    try:
        return file.read_text()
    except OSError as error:
        raise Failure(Exit.USAGE, str(error), do="run the demo from a clone of the repository",
                      ) from error
