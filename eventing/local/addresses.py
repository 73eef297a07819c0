"""Maps names inside a cluster to loopback addresses."""

import re
import socket
from dataclasses import dataclass, field

from shared.errors import Permanent

HOST = "127.0.0.1"
BACKLOG = 512
"""Connections that wait while a process starts."""

BROKER_INGRESS = "kafka-broker-ingress.knative-eventing.svc.cluster.local"
CLUSTER_URL = re.compile(r"http://([a-z0-9.-]+\.svc\.cluster\.local)(?::80)?(?![\w:.-])")


class PortTaken(Permanent):
    """Another program listens on the wanted port."""

    title = "Port taken"


def listen(port: int = 0) -> socket.socket:
    """Return a listening loopback socket; 0 takes a free port.

    Raises:
        PortTaken: somebody else has it.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"port {port} of {HOST} is taken by another program: choose another with "
                        f"--port ({error.strerror})") from error
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the http address of a listening socket."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


def cluster_host(namespace: str, name: str) -> str:
    """Return the name of a Service inside a cluster."""
    return f"{name}.{namespace}.svc.cluster.local"


@dataclass(slots=True)
class Addresses:
    """Loopback addresses by cluster host name."""

    by_host: dict[str, str] = field(default_factory=dict)

    def rewritten(self, text: str) -> str:
        """Return the text with every known cluster address replaced by its loopback address."""
        return CLUSTER_URL.sub(lambda found: self.by_host.get(found[1], found[0]), text)
