"""Writes `knative/schemas/*.json`: strict schemas of every kind that `knative/` uses.

`python -m eventing.policies.extract [CRD.yaml …]` asks the API server of the current kubeconfig for
the kinds it serves, and reads the others from the given CustomResourceDefinitions. What only
explains is dropped, and a field that no schema names becomes a fault: an API server drops it in
silence.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from eventing.environments import kubectl
from eventing.policies.schemas import FOLDER

SERVED = {
    "kubernetes": {
        "api/v1": ("Namespace", "ConfigMap", "Secret", "Service", "ServiceAccount",
                   "PersistentVolumeClaim", "ResourceQuota", "LimitRange"),
        "apis/apps/v1": ("StatefulSet", "Deployment"),
        "apis/networking.k8s.io/v1": ("NetworkPolicy",),
        "apis/policy/v1": ("PodDisruptionBudget",),
        "apis/rbac.authorization.k8s.io/v1": ("Role", "RoleBinding"),
    },
    "knative": {
        "apis/serving.knative.dev/v1": ("Service",),
        "apis/eventing.knative.dev/v1": ("Broker", "Trigger"),
        "apis/eventing.knative.dev/v1alpha1": ("EventPolicy",),
        "apis/sources.knative.dev/v1": ("PingSource",),
    },
}
"""File → path of the API server's OpenAPI → kinds."""

ORIGINS = {"kubernetes": "Kubernetes", "knative": "Knative Serving and Eventing 0.50 (1.23), on"}

DELIVERY = {"timeout": {"type": "string"}, "format": {"type": "string"},
            "retryAfterMax": {"type": "string"}}
"""Fields of a delivery that Knative's webhook knows and its schema leaves open."""

_FILTER: dict[str, Any] = {"$ref": "#/definitions/dev.knative.eventing.Filter"}
_TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
FILTER = {"type": "object", "additionalProperties": False, "properties": {
    "exact": _TEXTS, "prefix": _TEXTS, "suffix": _TEXTS, "cesql": {"type": "string"},
    "all": {"type": "array", "items": _FILTER}, "any": {"type": "array", "items": _FILTER},
    "not": _FILTER}}
"""A filter expression, whose depth a CustomResourceDefinition cannot say."""

KEPT = frozenset({"type", "properties", "additionalProperties", "items", "required", "enum",
                  "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems",
                  "maxItems", "oneOf", "anyOf", "not", "$ref"})
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
PREFIX = "#/components/schemas/"
ANY_NUMBER = ("io.k8s.apimachinery.pkg.api.resource.Quantity",
              "io.k8s.apimachinery.pkg.util.intstr.IntOrString")

Schema = dict[str, Any]


def main(crds: list[str]) -> None:
    """Write the files of what is served, and one of the given definitions."""
    version = json.loads(kubectl.done(("version", "-o", "json"), {}))["serverVersion"]["gitVersion"]
    for name, paths in SERVED.items():
        _write(name, f"{ORIGINS[name]} {version}", _of_server(paths))
    if crds:
        documents = [yaml.safe_load(Path(file).read_text()) for file in crds]
        _write("monitoring", _origin(documents), _of_definitions(documents))


def _of_server(paths: Mapping[str, tuple[str, ...]]) -> Schema:
    found: Schema = {"kinds": {}, "definitions": {}}
    for path, kinds in paths.items():
        served = json.loads(kubectl.done(("get", "--raw", f"/openapi/v3/{path}"), {}))
        schemas = served["components"]["schemas"]
        for kind, name in _wanted(schemas, kinds):
            found["kinds"][kind] = name
            _collect(name, schemas, found["definitions"])
    if any("Trigger" in kind for kind in found["kinds"]):
        found["definitions"]["dev.knative.eventing.Filter"] = FILTER
    return found


def _wanted(schemas: Mapping[str, Schema], kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, schema in schemas.items():
        for known in schema.get("x-kubernetes-group-version-kind", ()):
            if known["kind"] in kinds and name.endswith(f".{known['kind']}"):
                version = "/".join(filter(None, (known["group"], known["version"])))
                yield f"{version} {known['kind']}", name


def _of_definitions(documents: list[Any]) -> Schema:
    found: Schema = {"kinds": {}, "definitions": {}}
    for document in documents:
        group, kind = document["spec"]["group"], document["spec"]["names"]["kind"]
        for version in document["spec"]["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            schema["properties"]["metadata"] = {"$ref": PREFIX + META}
            found["kinds"][f"{group}/{version['name']} {kind}"] = f"{group}.{kind}"
            found["definitions"][f"{group}.{kind}"] = strict(schema)
    return found


def _collect(name: str, schemas: Mapping[str, Schema], into: Schema) -> None:
    """Take a definition and all that it refers to."""
    if name in into:
        return
    into[name] = strict(schemas[name]) if name not in ANY_NUMBER else {"type": ["number", "string"]}
    for other in _references(into[name]):
        _collect(other, schemas, into)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema and schema != _FILTER:
            yield schema["$ref"].removeprefix("#/definitions/")
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def strict(schema: Schema) -> Schema:
    """Return a schema that refuses the fields it does not name, without its explanations."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    (whole,) = schema.get("allOf") or ({},)
    made: Schema = {k: _inner(k, v) for k, v in {**schema, **whole}.items() if k in KEPT}
    if "properties" in made:
        made["properties"].pop("status", None)
        made["required"] = [n for n in made.get("required", ()) if n != "status"]
        # Also where the API server keeps what it does not know: webhooks refuse it.
        made.setdefault("additionalProperties", False)
        if "backoffDelay" in made["properties"]:
            made["properties"] |= DELIVERY
        if "cesql" in made["properties"]:
            return _FILTER
    return made


def _inner(key: str, value: Any) -> Any:
    if key == "$ref":
        return value.replace(PREFIX, "#/definitions/")
    if key == "properties":
        return {name: strict(schema) for name, schema in value.items()}
    if key in ("items", "additionalProperties", "not") and isinstance(value, dict):
        return strict(value)
    if key in ("oneOf", "anyOf"):
        return [{k: v for k, v in one.items() if k in KEPT} for one in value]
    return value


def _origin(documents: list[Any]) -> str:
    names = {a: v for d in documents for a, v in d["metadata"].get("annotations", {}).items()}
    return ", ".join(f"{name} {version}" for name, version in sorted(names.items()))


def _write(name: str, origin: str, found: Schema) -> None:
    head = {"origin": origin, "generated": "python -m eventing.policies.extract"}
    lines = [f'"{key}": {json.dumps(value, sort_keys=True, separators=(",", ":"))}'
             for part in ("kinds", "definitions") for key, value in sorted(found[part].items())]
    count = len(found["kinds"])
    text = "{" + json.dumps(head)[1:-1] + ',\n"kinds": {\n' + ",\n".join(lines[:count])
    text += '\n},\n"definitions": {\n' + ",\n".join(lines[count:]) + "\n}}\n"
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(text)
    sys.stdout.write(f"{name}: {count} kinds, {len(text)} bytes\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except kubectl.Unanswered as error:
        sys.exit(f"error: {error}")
