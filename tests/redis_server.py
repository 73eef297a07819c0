"""A Redis server of Debian's in a folder of its own, for tests that stop and start it."""

import shutil
import socket
import subprocess
import time
from contextlib import suppress


class RedisServer:
    """A context manager; its data stays in the folder when it ends."""

    def __init__(self, folder, *, appendonly="yes", options=()):
        folder.mkdir(exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        program = shutil.which("redis-server")
        assert program, "no redis-server on PATH: apt-get install redis-server"
        self._command = [program, "--bind", "127.0.0.1", "--port", str(self.port),
                         "--dir", str(folder), "--appendonly", appendonly, "--save", "",
                         "--maxmemory-policy", "noeviction", *options]

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        ends = time.monotonic() + 20
        while self.call("ping") != "PONG":
            assert self._process.poll() is None, "redis-server ended while starting"
            assert time.monotonic() < ends, "redis-server does not answer"
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        ends = time.monotonic() + 20
        while self._process.poll() is None:  # one that writes its first AOF refuses to end yet
            assert time.monotonic() < ends, "redis-server does not end"
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)

    @property
    def pid(self):
        """Its process id."""
        return self._process.pid

    def call(self, *command):
        """Return what redis-cli prints for a command."""
        return subprocess.run(["redis-cli", "-u", self.url, *command], text=True, timeout=20,
                              capture_output=True, check=False).stdout.strip()
