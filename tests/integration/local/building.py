"""Small manifests and messages."""

import json
from pathlib import Path

FUNCTIONS = Path(__file__).parent / "functions"
NAMESPACE = "tollgate"
QUICK = {"retry": 20, "backoffPolicy": "linear", "backoffDelay": "PT0.02S", "timeout": "PT60S"}


def meta(name, **annotations):
    return {"name": name, "namespace": NAMESPACE, "annotations": annotations}


def service(name="echo", *, source="echo.py", concurrency=0, timeout_s=60, env=None, scale=None,
            volumes=(), mounts=()):
    variables = [v if isinstance(v, dict) else {"name": n, "value": v}
                 for n, v in (env or {}).items()]
    template = {
        "metadata": {"annotations": {f"autoscaling.knative.dev/{n}": v
                                     for n, v in (scale or {}).items()}},
        "spec": {"containerConcurrency": concurrency, "timeoutSeconds": timeout_s,
                 "volumes": list(volumes),
                 "containers": [{"image": "local", "env": variables, "volumeMounts": list(mounts),
                                 "readinessProbe": {"httpGet": {"path": "/health"}}}]}}
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": meta(name, **{"tollgate.dev/source": str(FUNCTIONS / source)}),
            "spec": {"template": template}}


def broker():
    return {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker",
            "metadata": meta("default", **{"eventing.knative.dev/broker.class": "Kafka"})}


def trigger(name="echo", *, subscriber="echo", uri=None, delivery=None, filters=()):
    ref = {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": subscriber}}
    return {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": meta(name),
            "spec": {"broker": "default", "subscriber": {"uri": uri} if uri else ref,
                     "filters": list(filters), "delivery": delivery or QUICK}}


def ready(process):
    """Return the line that the command prints when it is ready."""
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)


def headers(number, kind="a.b", **attributes):
    given = {"specversion": "1.0", "id": str(number), "source": "/test", "type": kind, **attributes}
    return {f"ce-{name}": str(value) for name, value in given.items()}
