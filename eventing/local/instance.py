"""One process of a Service: started, probed, stopped."""

import asyncio
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

import aiohttp

from eventing.local.addresses import listen, url_of
from eventing.local.processes import die_with_parent, kill_group

START_TIMEOUT_S = 60.0
"""A process that is not ready by then is taken for broken."""

LOG_BYTES_MAX = 16 * 1024 * 1024
"""A larger log is set aside when the next process starts; one older file is kept."""

PROBE_WAIT_S = 0.05


class NotStarted(Exception):
    """The process ended or never became ready."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a Service's processes are started."""

    name: str
    source: Path
    env: Mapping[str, str]
    log: Path
    timeout_s: int
    folder: Path
    """The working directory: the project's."""

    probe: str | None = "/"
    """Path of the readiness probe; `None` asks only for a connection."""


@dataclass(slots=True, eq=False)
class Instance:
    """A running process and the requests it has."""

    program: Program
    process: asyncio.subprocess.Process
    url: str
    ready: bool = False
    stopping: bool = False
    in_flight: int = 0
    started_s: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        """The process id, which is its group's too."""
        return self.process.pid

    async def become_ready(self, session: aiohttp.ClientSession) -> None:
        """Return when the readiness probe succeeds.

        Raises:
            NotStarted: the process ended first, or took longer than `START_TIMEOUT_S`.
        """
        probing = asyncio.create_task(self._probe(session))
        ending = asyncio.create_task(self.process.wait())
        try:
            await asyncio.wait({probing, ending}, timeout=START_TIMEOUT_S,
                               return_when=asyncio.FIRST_COMPLETED)
            if not probing.done():
                status = self.process.returncode
                raise NotStarted(f"{self.program.name} "
                                 + (f"ended with status {status} while starting" if ending.done()
                                    else f"was not ready after {START_TIMEOUT_S:.0f} s")
                                 + f": see {self.program.log}")
        finally:
            for task in (probing, ending):
                task.cancel()
            await asyncio.gather(probing, ending, return_exceptions=True)
        self.ready = True

    async def stop(self) -> None:
        """Send SIGTERM; SIGKILL to the whole group when the time-out is over. Idempotent."""
        self.stopping = True
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), self.program.timeout_s)
        self.kill()
        await self.process.wait()

    def kill(self) -> None:
        """Kill the process and whatever it has started."""
        kill_group(self.pid)

    async def _probe(self, session: aiohttp.ClientSession) -> None:
        while not await self._is_ready(session):  # noqa: ASYNC110 - another process, no event
            await asyncio.sleep(PROBE_WAIT_S)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self.url + (self.program.probe or "/"), allow_redirects=False,
                                   headers={"User-Agent": "kube-probe"}) as answer:
                return self.program.probe is None or answer.status < 400
        except aiohttp.ClientError:
            return False


async def launch(program: Program, shared: socket | None = None) -> Instance:
    """Start a process on a free loopback port; its group ends with it, it ends with this one.

    The socket is made here and listens at once: requests and probes wait in its backlog. If there
    is a `shared` socket, the process takes requests from that one as well.
    """
    listener = listen()
    _set_aside(program.log)
    try:
        descriptors = [s.fileno() for s in (listener, shared) if s is not None]
        port = listener.getsockname()[1]
        with program.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "eventing.local.serve", "--source", str(program.source),
                "--timeout-s", str(program.timeout_s), "--fd", *map(str, descriptors),
                env={**program.env, "PORT": str(port)}, pass_fds=descriptors,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=program.folder,
                start_new_session=True, preexec_fn=die_with_parent,
            )
        return Instance(program, process, url_of(listener))
    finally:
        listener.close()


def _set_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".old.log"))
