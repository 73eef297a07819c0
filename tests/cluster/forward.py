"""A port of this machine that kubectl forwards into the cluster."""

import re
import subprocess

LISTENS = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


class Forward:
    """A context manager; `address` is (host, port) while it lasts."""

    def __init__(self, namespace, target, port):
        self._command = ["kubectl", "--namespace", namespace, "port-forward", target, f":{port}"]
        self.address = None

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True,
                                         stderr=subprocess.DEVNULL)
        line = self._process.stdout.readline()
        found = LISTENS.search(line)
        assert found, f"{' '.join(self._command)} does not start"
        self.address = ("127.0.0.1", int(found[1]))
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)
        self._process.stdout.close()
