"""Rules about values: no secret in plain text, and revisions that say what they started with."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from eventing.policies.objects import (
    KNATIVE_SERVICE,
    Document,
    Found,
    Objects,
    annotations_of,
    containers_of,
    variables_of,
)

NAMES = re.compile(r"(?i)(password|passwd|secret|token|credential|api_?keys?|grant_?key)\Z")
VALUES = re.compile(r"://[^/\s:@]*:[^/\s@]+@|\bsk-[A-Za-z0-9_-]{16,}|\bAKIA[A-Z0-9]{16}\b"
                    r"|\btg_[A-Za-z0-9_-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.eyJ")
"""A URL with a password; keys of providers, of AWS and of Tollgate; private keys; signed tokens."""

OURS = "tollgate.dev/"
STARTED = f"{OURS}settings"


def secrets_are_not_written_down(objects: Objects) -> Found:
    """A secret comes from the cluster's own, made by whoever applies; a manifest has none."""
    for secret in objects.of("v1 Secret"):
        if secret.get("data") or secret.get("stringData"):
            yield secret, "data", "make it outside, and refer to it by name"
    for document, field, name, value in _values(objects):
        if VALUES.search(value) or (NAMES.search(name) and not value.startswith("/")):
            yield document, field, "take it from a Secret: secretKeyRef"


def revisions_say_their_settings(objects: Objects) -> Found:
    """A setting's value is in the revision that starts with it: a change makes a new one."""
    for service in objects.of(KNATIVE_SERVICE):
        noted = _noted(annotations_of(service))
        for name, value in _settings_used(service, objects.settings):
            if value not in noted:
                yield service, f"spec.template.metadata.annotations.{STARTED}", \
                    f"it lacks {name}: list components/rolling-settings last, and the name in it"


def settings_exist(objects: Objects) -> Found:
    """A setting that a function needs has a value, or its pods never start."""
    for workload, field, variable in variables_of(objects):
        wanted = (variable.get("valueFrom") or {}).get("configMapKeyRef")
        if not wanted or wanted.get("optional"):
            continue
        found = objects.named("v1 ConfigMap", wanted["name"]) or {}
        if wanted["key"] not in found.get("data", {}):
            yield workload, field, f"ConfigMap {wanted['name']} has no {wanted['key']}"


def _values(objects: Objects) -> Iterator[tuple[Document, str, str, str]]:
    for config in objects.of("v1 ConfigMap"):
        for name, value in (config.get("data") or {}).items():
            yield config, f"data.{name}", name, value
    for workload, field, variable in variables_of(objects):
        yield workload, field, variable["name"], variable.get("value") or "/"


def _settings_used(service: Document, settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for _, container in containers_of(service):
        for variable in container.get("env") or ():
            wanted = (variable.get("valueFrom") or {}).get("configMapKeyRef") or {}
            if wanted.get("name") == "tollgate" and wanted["key"] in settings:
                yield wanted["key"], settings[wanted["key"]]


def _noted(annotations: Mapping[str, Any]) -> set[str]:
    return {part for name, text in annotations.items() if name.startswith(OURS)
            for part in str(text).split()}


RULES = (secrets_are_not_written_down, revisions_say_their_settings, settings_exist)
