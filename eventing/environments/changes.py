"""What a plan changes, read from Terraform's JSON of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eventing.environments.manifests import KIND

PRECIOUS = frozenset({
    "aws_ecr_repository", "aws_eks_cluster", "aws_elasticache_replication_group", "aws_kms_key",
    "aws_msk_cluster", "aws_s3_bucket", "aws_secretsmanager_secret"})
"""Types whose loss is a loss of data: taken away only on a word of their own."""

PRECIOUS_KINDS = frozenset({"Broker", "Kafka", "KafkaNodePool", "Namespace",
                            "PersistentVolumeClaim"})
"""The same of Kubernetes' kinds: events that wait, and all that is in a namespace."""

KEPT_KINDS = frozenset({"Trigger"})
"""May go with their function, but not be made anew: what they had not delivered would be lost."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Numbers of resources; one that is replaced counts as added and as destroyed."""

    added: int = 0
    changed: int = 0
    destroyed: int = 0
    outputs: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(self.added + other.added, self.changed + other.changed,
                       self.destroyed + other.destroyed, self.outputs + other.outputs)

    def __bool__(self) -> bool:
        return self != Changes()

    def counted(self, *, done: bool) -> str:
        """Return the three numbers in words: what was done, or what is planned."""
        words = ("added", "changed", "destroyed") if done else ("to add", "to change", "to destroy")
        numbers = (self.added, self.changed, self.destroyed)
        return ", ".join(f"{n} {word}" for n, word in zip(numbers, words, strict=True))

    def told(self, *, done: bool) -> str:
        """Return the same, or that nothing (but outputs) changes."""
        if self.added or self.changed or self.destroyed:
            return self.counted(done=done)
        return "outputs only" if self.outputs else "no changes"


def read_changes(plan: dict[str, Any]) -> Changes:
    """Count what `plan` (of `terraform show -json`) adds, changes and destroys."""
    kinds = [kind for _, actions in _touched(plan) for kind in actions]
    outputs = [o for o in plan.get("output_changes", {}).values() if o["actions"] != ["no-op"]]
    return Changes(kinds.count("create"), kinds.count("update"), kinds.count("delete"),
                   len(outputs))


def read_losses(plan: dict[str, Any]) -> list[str]:
    """Return the addresses of what holds data and would be destroyed or replaced."""
    return [resource["address"] for resource, actions in _touched(plan)
            if "delete" in actions and _is_precious(resource, is_replaced="create" in actions)]


def _is_precious(resource: dict[str, Any], *, is_replaced: bool) -> bool:
    if resource["type"] != KIND:
        return resource["type"] in PRECIOUS
    manifest = (resource["change"].get("before") or {}).get("manifest") or "{}"
    kind = json.loads(manifest).get("kind")
    return kind in PRECIOUS_KINDS or (is_replaced and kind in KEPT_KINDS)


def read_drift(plan: dict[str, Any]) -> list[str]:
    """Name what is not as the configuration says, and which of its attributes differ."""
    outside = {resource["address"] for resource in plan.get("resource_drift", ())}
    return [f"{resource['address']} {_difference(resource['change'])}"
            + ("" if resource["address"] in outside else " [not applied yet]")
            for resource, _ in _touched(plan)]


def _touched(plan: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Yield managed resources with what happens to them; reading data changes nothing."""
    for resource in plan.get("resource_changes", ()):
        actions = resource["change"]["actions"]
        if resource.get("mode") == "managed" and {*actions} & {"create", "update", "delete"}:
            yield resource, actions


def _difference(change: dict[str, Any]) -> str:
    """Return the names of attributes that differ, never their values: some are secret."""
    before, after = change.get("before"), change.get("after")
    if before is None:
        return "(missing)"
    if after is None:
        return "(not in the configuration)"
    unknown = change.get("after_unknown") or {}
    names = sorted(name for name in {*before, *after}
                   if before.get(name) != after.get(name) and not unknown.get(name))
    return f"({', '.join(names) or 'replaced'})"
