"""A small API server with one kind, Knative Services, over HTTP: for kubectl and for the function.

It imitates what rollouts need of Kubernetes and of Knative's controllers; the tests of
`test_services.py` hold for it and, run in `tests/cluster`, for a real one.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

GROUP = "/apis/serving.knative.dev/v1"
REASONS = {403: "Forbidden", 500: "InternalError", 401: "Unauthorized", 400: "BadRequest"}
VERBS = ["get", "list", "patch"]


class ApiServer:
    """Services and revisions of one namespace in memory."""

    def __init__(self, namespace="prod"):
        self.namespace = namespace
        self.services, self.revisions = {}, {}
        self.refuse = None
        """A pair of status and message that answers every request on Services."""
        self.patches = 0
        self.never_ready = set()
        self._version = 100
        self._lock = threading.RLock()

    def create(self, name, image="dev.local/a:1"):
        self.services[name] = {
            "apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": {"name": name, "namespace": self.namespace, "generation": 1},
            "spec": {"template": {"spec": {"containers": [{"image": image}]}},
                     "traffic": [{"latestRevision": True, "percent": 100}]}}
        self._reconciled(name)

    def get(self, name):
        with self._lock:
            return json.loads(json.dumps(self.services[name]))

    def patch(self, name, change):
        """Merge a change if it knows the present version, then act as the controllers do."""
        with self._lock:
            held = self.services[name]
            asked = change.get("metadata", {}).get("resourceVersion")
            if asked not in (None, held["metadata"]["resourceVersion"]):
                return 409, "Conflict", "the object has been modified; please apply your changes"
            spec = json.dumps(held["spec"])
            merged(held, json.loads(json.dumps(change)))
            held["metadata"]["generation"] += json.dumps(held["spec"]) != spec
            self.patches += 1
            self._reconciled(name)
            return 200, held, None

    def _reconciled(self, name):
        held = self.services[name]
        self._version += 1
        held["metadata"]["resourceVersion"] = str(self._version)
        latest = self._revised(name, held["spec"]["template"])
        ready = [r for r in self._of(name) if r not in self.never_ready]
        held["status"] = {
            "observedGeneration": held["metadata"]["generation"],
            "latestCreatedRevisionName": latest, "latestReadyRevisionName": (ready or [""])[-1],
            "traffic": [t | ({"revisionName": ready[-1]} if t.get("latestRevision") else {})
                        for t in held["spec"]["traffic"]]}

    def _of(self, name):
        return [r for r, one in self.revisions.items()
                if one["metadata"]["labels"]["serving.knative.dev/service"] == name]

    def _revised(self, name, template):
        known = self._of(name)
        if known and self.revisions[known[-1]]["spec"] == template["spec"]:
            return known[-1]
        revision = f"{name}-{len(known) + 1:05}"
        broken = "bad" in template["spec"]["containers"][0]["image"]
        self.never_ready |= {revision} if broken else set()
        self.revisions[revision] = {
            "apiVersion": "serving.knative.dev/v1", "kind": "Revision",
            "metadata": {"name": revision, "namespace": self.namespace, "labels": {
                "serving.knative.dev/service": name,
                "serving.knative.dev/configurationGeneration": str(len(known) + 1)}},
            "spec": json.loads(json.dumps(template["spec"])),
            "status": {"conditions": [{"type": "Ready", "status": "False" if broken else "True",
                                       "message": "ImagePullBackOff" if broken else ""}]}}
        return revision

    def answer(self, method, path, query, body):
        """Return status and document of a request."""
        prefix = f"{GROUP}/namespaces/{self.namespace}/"
        if not path.startswith(prefix):
            return discovery(path)
        if self.refuse:
            return failure(self.refuse[0], REASONS[self.refuse[0]], self.refuse[1])
        kind, _, name = path.removeprefix(prefix).partition("/")
        held = self.services if kind == "services" else self.revisions
        if not name:
            wanted = query.get("labelSelector", [""])[0].rpartition("=")[2]
            items = [one for one in held.values() if not wanted
                     or one["metadata"]["labels"]["serving.knative.dev/service"] == wanted]
            return 200, {"apiVersion": "serving.knative.dev/v1", "kind": "List", "items": items}
        if name not in held:
            return failure(404, "NotFound", f'{kind}.serving.knative.dev "{name}" not found')
        if method == "GET":
            return 200, held[name]
        status, document, message = self.patch(name, json.loads(body))
        return failure(status, document, message) if message else (status, document)

    def start(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, document = api.answer(
                self.command, asked.path, parse_qs(asked.query), body)
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_PATCH(self):
            self.do_GET()

        def log_message(self, *_):
            pass
    return Handler


def merged(held, change):
    """Apply a JSON merge patch (RFC 7386) in place."""
    for name, value in change.items():
        if value is None:
            held.pop(name, None)
        elif isinstance(value, dict):
            merged(held.setdefault(name, {}), value)
        else:
            held[name] = value


def failure(status, reason, message):
    return status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
                    "reason": reason, "message": message}


def discovery(path):
    """Answer what kubectl asks before it asks for objects."""
    kinds = [{"name": name, "singularName": name[:-1], "namespaced": True, "verbs": VERBS,
              "kind": name[:-1].capitalize()} for name in ("services", "revisions")]
    version = {"groupVersion": "serving.knative.dev/v1", "version": "v1"}
    known = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [{
            "name": "serving.knative.dev", "versions": [version], "preferredVersion": version}]},
        GROUP: {"kind": "APIResourceList", "apiVersion": "v1",
                "groupVersion": "serving.knative.dev/v1", "resources": kinds},
    }
    return (200, known[path]) if path in known else failure(404, "NotFound", f"no {path}")
