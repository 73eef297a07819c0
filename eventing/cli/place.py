"""Finds the running system: its addresses, and the key to it.

`TOLLGATE_GATEWAY`, `TOLLGATE_LEDGER`, `TOLLGATE_COSTS`, `TOLLGATE_DEADLETTERS` and
`TOLLGATE_API_KEY` name a system elsewhere; `TOLLGATE_CLUSTER` names the entrance of a cluster,
which tells functions apart by their hosts; else the embedded runtime's data folder is read.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventing.cli.exits import ADVICE, Exit, Failure

DATA_DEFAULT = Path(".tollgate")
OWN = ("broker", "dashboard", "redis")
"""What only the embedded runtime tells the address of."""


@dataclass(frozen=True, slots=True)
class Place:
    """One system."""

    data: Path = DATA_DEFAULT

    def state(self) -> dict[str, Any] | None:
        """Return pid and addresses of the embedded runtime, or `None` if none runs here."""
        try:
            found: dict[str, Any] = json.loads((self.data / "runtime.json").read_text())
            return found if alive(int(found["pid"])) else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def address(self, name: str) -> str:
        """Return the address of a function, `broker`, `dashboard` or `redis`.

        Raises:
            Failure: nothing runs here, or it has no such function.
        """
        if given := _given(name):
            return _with_scheme(given)
        if entrance := os.environ.get("TOLLGATE_CLUSTER"):
            return _of_cluster(entrance, name)
        state = self.state()
        if state is None:
            raise Failure(Exit.UNREACHABLE, "no runtime is up", where=str(self.data),
                          do="start one: tollgate up (or name its folder with --data)")
        if name not in state["addresses"]:
            raise Failure(Exit.UNREACHABLE, f"this runtime has no {name}", where=str(self.data))
        return str(state["addresses"][name])

    def host(self, name: str) -> str | None:
        """Return the host by which the entrance of a cluster knows a function."""
        if _given(name) or not os.environ.get("TOLLGATE_CLUSTER"):
            return None
        return f"{name}.{os.environ.get('TOLLGATE_NAMESPACE', 'tollgate')}.svc.cluster.local"

    def key(self) -> str:
        """Return the API key to use; empty if there is none.

        Raises:
            Failure: it holds what no key does, and no request can carry.
        """
        if given := os.environ.get("TOLLGATE_API_KEY", "").strip():
            if not (given.isascii() and given.isprintable()):
                raise Failure(Exit.DENIED, "no key has such characters", where="TOLLGATE_API_KEY",
                              do=ADVICE[401])
            return given
        try:
            return (self.data / "api-key").read_text().strip()
        except OSError:
            return ""


def _given(name: str) -> str | None:
    return os.environ.get(f"TOLLGATE_{name.upper()}")


def _of_cluster(entrance: str, name: str) -> str:
    if name in OWN:
        raise Failure(Exit.USAGE, f"only the embedded runtime has a {name}", where=entrance,
                      do="ask the cluster: kubectl get ksvc,broker,trigger -n tollgate")
    return _with_scheme(entrance)


def _with_scheme(address: str) -> str:
    return (address if "://" in address else f"http://{address}").rstrip("/")


def alive(pid: int) -> bool:
    """Tell whether the process exists and is not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
