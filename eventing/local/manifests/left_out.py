"""What means something on a cluster only: left out on this machine, by name and with the reason."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from eventing.local.manifests.fields import Meta

NEEDS = "tollgate.dev/needs"
"""Annotation of what this machine leaves out, by name; its one value is `kubernetes`."""

NEEDS_CLUSTER = "it needs a cluster"
_NO_NETWORK = "the processes of one machine share its network"
_NO_API = "there is no API server to ask"
_OWN_REDIS = "the runtime starts a Redis of its own"
_OWN_BROKER = "the runtime is the broker, and keeps events in its Redis"
_NO_PODS = "processes are no pods"
_NO_PROMETHEUS = "there is no Prometheus operator; each function serves /metrics"

REASONS = {
    "networking.k8s.io/v1 NetworkPolicy": _NO_NETWORK,
    "eventing.knative.dev/v1alpha1 EventPolicy": "the embedded broker asks nobody for a token",
    "policy/v1 PodDisruptionBudget": _NO_PODS,
    "monitoring.coreos.com/v1 PodMonitor": _NO_PROMETHEUS,
    "monitoring.coreos.com/v1 PrometheusRule": _NO_PROMETHEUS,
    "kafka.strimzi.io/v1 Kafka": _OWN_BROKER,
    "kafka.strimzi.io/v1 KafkaNodePool": _OWN_BROKER,
    "v1 ServiceAccount": _NO_API,
    "rbac.authorization.k8s.io/v1 Role": _NO_API,
    "rbac.authorization.k8s.io/v1 RoleBinding": _NO_API,
}
"""Kinds that mean nothing here, and why."""

NAMED = {
    "apps/v1 StatefulSet redis": _OWN_REDIS,
    "v1 Service redis": _OWN_REDIS,
}
"""Objects whose kind could mean a lot, and which are replaced by something of the runtime's."""


class LeftOut(BaseModel):
    """An object of any kind that needs a cluster, by its kind or by its own account."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)
    api_version: str
    kind: str
    metadata: Meta

    @property
    def reason(self) -> str:
        """Return why it is left out."""
        if self.metadata.annotations.get(NEEDS) == "kubernetes":
            return NEEDS_CLUSTER
        kind = f"{self.api_version} {self.kind}"
        return REASONS.get(kind) or NAMED[f"{kind} {self.metadata.name}"]

    @staticmethod
    def fits(document: Mapping[str, Any]) -> bool:
        """Tell whether a document is one."""
        metadata = document.get("metadata")
        if not isinstance(metadata, dict):
            return False
        kind = f"{document.get('apiVersion')} {document.get('kind')}"
        if kind in REASONS or f"{kind} {metadata.get('name')}" in NAMED:
            return True
        annotations = metadata.get("annotations")
        return isinstance(annotations, dict) and annotations.get(NEEDS) == "kubernetes"
