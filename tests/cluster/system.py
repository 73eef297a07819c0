"""Tollgate as it runs on the cluster, seen through its doors and through the API server."""

import hashlib
import json
import os
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx2

from tests.chaos.receiver import Receiver
from tests.chaos.tenant import Tenant
from tests.cluster.forward import Forward
from tests.cluster.given import HOST, INGRESS
from tests.cluster.workspace import NAMESPACE
from tests.kafka import kubectl

FUNCTIONS = ("calculator", "costs", "deadletters", "gateway", "ledger", "notify", "reader",
             "researcher", "rollouts", "watchdog")
TENANTS = 60
TIMEOUT_S = 60.0
POD = "serving.knative.dev/service={}"


class ClusterSystem:
    """An async context manager; `tenant()` hands out a tenant that no test has used."""

    _tenants = iter(range(TENANTS))

    def __init__(self):
        self._stack = ExitStack()
        self.addresses = {name: f"http://{name}.{NAMESPACE}.svc.cluster.local"
                          for name in FUNCTIONS}

    async def __aenter__(self):
        with self._stack as unwound:
            await self._open()
            self._stack = unwound.pop_all()
        return self

    async def _open(self):
        self.hook = self._stack.enter_context(Receiver(os.environ[HOST]))
        inside = self._forwarded("kourier-system", "service/kourier-internal")
        self.entrance = "{}:{}".format(*inside)
        outside = _given() or self._forwarded("kourier-system", "service/kourier")
        public = await url_of("gateway")
        self.addresses["gateway"] = public
        broker = self._forwarded("knative-eventing", "service/broker-ingress")
        self.broker = f"http://{broker[0]}:{broker[1]}/{NAMESPACE}/default"
        routes = {urlsplit(public).hostname: outside, broker[0]: broker}
        self.http = httpx2.AsyncClient(transport=Routed(routes, inside), timeout=TIMEOUT_S)

    async def __aexit__(self, *_):
        await self.http.aclose()
        self._stack.close()

    def _forwarded(self, namespace, target):
        return self._stack.enter_context(Forward(namespace, target, 80)).address

    def tenant(self):
        return Tenant(self, f"t{next(self._tenants)}", ("admin",))


class Routed(httpx2.AsyncHTTPTransport):
    """Sends each request to where its host is really reached, with the host it names."""

    def __init__(self, routes, otherwise):
        super().__init__(limits=httpx2.Limits(max_connections=100, keepalive_expiry=5.0))
        self._routes, self._otherwise = routes, otherwise

    async def handle_async_request(self, request):
        host, port = self._routes.get(request.url.host, self._otherwise)
        request.url = request.url.copy_with(host=host, port=port)
        return await super().handle_async_request(request)


def _given():
    url = urlsplit(os.environ.get(INGRESS, ""))
    return (url.hostname, url.port or 80) if url.hostname else None


def api_keys():
    """Return the keys of all tenants, as the gateway's file has them."""
    hashed = ((n, hashlib.sha256(f"key-of-t{n}-for-admin".encode()).hexdigest())
              for n in range(TENANTS))
    return [{"key_sha256": digest, "tenant": f"t{n}", "rights": ["admin"], "name": ""}
            for n, digest in hashed]


# --- What the API server says ---

async def found(kind, name="", **more):
    """Return an object of the functions' namespace, or all of its kind."""
    args = [f"--{key}={value}" for key, value in more.items()]
    names = [name] if name else []
    text = await kubectl.told("-n", NAMESPACE, "get", kind, *names, *args, "-o", "json")
    return json.loads(text)


async def url_of(function):
    """Return the address under which Serving publishes a function."""
    return (await found("ksvc", function))["status"]["url"]


async def replicas(function):
    """Return how many replicas the deployments of a function have, all revisions together."""
    listed = await found("deployments", selector=POD.format(function))
    return sum(one["status"].get("replicas", 0) for one in listed["items"])


async def pods(function):
    """Return the names of a function's pods that are there."""
    listed = await found("pods", selector=POD.format(function))
    return [one["metadata"]["name"] for one in listed["items"]
            if not one["metadata"].get("deletionTimestamp")]


async def killed(function):
    """Delete all pods of a function without grace; return how many there were."""
    names = await pods(function)
    if names:
        await kubectl.told("-n", NAMESPACE, "delete", "pod", *names, "--grace-period=0", "--force",
                           "--ignore-not-found", "--wait=false")
    return len(names)


async def redis_killed():
    """Kill the Redis server with SIGKILL inside its pod: its log stays, as on a volume."""
    script = 'for p in /proc/[0-9]*; do read -r name < $p/comm; case $name in redis-server) ' \
             'kill -9 "${p#/proc/}";; esac; done'
    # The shell may end with its container, before it has said that it did.
    with suppress(kubectl.Unreachable):
        await kubectl.told("-n", NAMESPACE, "exec", "redis-0", "--", "sh", "-c", script)


async def redis_starts():
    """Return how often the Redis server was started again."""
    status = (await found("pod", "redis-0"))["status"]
    return sum(one["restartCount"] for one in status["containerStatuses"])


async def is_ready(kind, name):
    """Tell whether an object is Ready as it is specified now."""
    status = (one := await found(kind, name)).get("status", {})
    ready = {c["type"]: c["status"] for c in status.get("conditions", ())}.get("Ready")
    return ready == "True" and status.get("observedGeneration") == one["metadata"]["generation"]
