"""Follows a task and the functions at once, in the order in which things happen."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

from eventing.cli.demo_facts import Collector
from eventing.cli.exits import Exit, Failure
from eventing.cli.place import Place
from eventing.cli.remote import Message, Remote
from eventing.cli.task_commands import line_of

POLL_S = 0.1
TASK_S = 120.0
"""Far above what the demo takes; a real model may think."""


class Feed:
    """What happens, as lines for people; ends with the task."""

    def __init__(self, place: Place, collector: Collector) -> None:
        self._place, self._collector = place, collector
        self._after = 0
        self._messages: queue.SimpleQueue[Message | Failure | None] = queue.SimpleQueue()

    def follow(self, task: str) -> Iterator[str]:
        """Yield lines until the task's end.

        Raises:
            Failure: the stream fails, or the task does not end in time.
        """
        threading.Thread(target=self._listen, args=(task,), daemon=True).start()
        until = time.monotonic() + TASK_S
        while time.monotonic() < until:
            yield from self.functions()
            try:
                message = self._messages.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if message is None:
                return
            if isinstance(message, Failure):
                raise message
            yield from filter(None, [line_of(message)])
        raise Failure(Exit.FAILED, f"task {task} has not ended after {TASK_S:.0f} s",
                      where=str(self._place.data),
                      do="run it again with --data DIR, then read DIR/logs")

    def functions(self) -> Iterator[str]:
        """Yield a line per function that woke, slept or died since the last call."""
        for record in self._collector.records(self._after):
            self._after = record["n"]
            if line := _line(record):
                yield line

    def _listen(self, task: str) -> None:
        try:
            with Remote(self._place) as remote:
                for message in remote.follow(task):
                    self._messages.put(message)
        except Failure as failure:
            self._messages.put(failure)
        self._messages.put(None)


def _line(record: dict[str, Any]) -> str:
    match record["kind"]:
        case "woke" | "slept" | "died" as kind:
            sign = {"woke": "▲", "slept": "▽", "died": "✗"}[kind]
            return f"  {sign} {record['function']} {kind}"
        case "ready":
            return f"    {record['function']} is ready after {record['took_s']:.2f} s"
    return ""
