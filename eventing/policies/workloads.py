"""Rules about what runs: images, resources, probes, confinement, scale."""

from itertools import product

from eventing.policies.objects import (
    KNATIVE_SERVICE,
    WORKLOADS,
    Document,
    Found,
    Objects,
    annotations_of,
    name_of,
    pod_of,
    workload_containers,
)

PUBLIC = frozenset({"gateway"})
"""Functions with an address outside the cluster."""

LOCAL_REGISTRY = "dev.local/"
SCALE = "autoscaling.knative.dev/"
CONFINED: dict[str, object] = {
    "runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
OF_THE_HOST = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")


def image_names_a_version(objects: Objects) -> Found:
    """An image has a tag other than `latest`, or a digest; a shared one comes from a registry."""
    for workload, path, container in workload_containers(objects):
        image = str(container.get("image", ""))
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest"):
            yield workload, f"{path}.image", f"name a version or a digest instead of {image!r}"
        if objects.is_shared and image.startswith(LOCAL_REGISTRY):
            yield workload, f"{path}.image", "take the image of a release: components/release"


def resources_are_set(objects: Objects) -> Found:
    """A container says what it needs and what it may take."""
    for workload, path, container in workload_containers(objects):
        given = container.get("resources") or {}
        for part, name in product(("requests", "limits"), ("cpu", "memory")):
            if name not in (given.get(part) or {}):
                yield workload, f"{path}.resources.{part}.{name}", "set it"


def probes_are_set(objects: Objects) -> Found:
    """A container says when it is ready, so that nothing is sent to it before."""
    for workload, path, container in workload_containers(objects):
        if path.split(".")[3] == "containers" and not container.get("readinessProbe"):
            yield workload, f"{path}.readinessProbe", "ask for what a request needs"


def containers_are_confined(objects: Objects) -> Found:
    """A container runs without root, new rights, a file system to write to, or capabilities."""
    for workload, path, container in workload_containers(objects):
        given = container.get("securityContext") or {}
        for name, wanted in CONFINED.items():
            if given.get(name) != wanted:
                yield workload, f"{path}.securityContext.{name}", f"set it to {wanted}"
        if given.get("privileged"):
            yield workload, f"{path}.securityContext.privileged", "remove it"


def the_host_is_left_alone(objects: Objects) -> Found:
    """A pod shares nothing with its node."""
    for workload in objects.of(*WORKLOADS):
        pod = pod_of(workload)
        for name in OF_THE_HOST:
            if name in pod:
                yield workload, f"spec.template.spec.{name}", "remove it"
        for index, volume in enumerate(pod.get("volumes") or ()):
            if "hostPath" in volume:
                yield workload, f"spec.template.spec.volumes.{index}.hostPath", "remove it"
    for workload, path, container in workload_containers(objects):
        if any("hostPort" in port for port in container.get("ports") or ()):
            yield workload, f"{path}.ports", "remove hostPort"


def the_apiserver_is_for_who_asks(objects: Objects) -> Found:
    """A pod gets a token for the API server only with a service account of its own."""
    for workload in objects.of(*WORKLOADS):
        pod = pod_of(workload)
        mounted = pod.get("automountServiceAccountToken") is not False
        if mounted and not pod.get("serviceAccountName"):
            yield workload, "spec.template.spec.automountServiceAccountToken", "set it to false"


def only_the_gateway_is_public(objects: Objects) -> Found:
    """A function that nobody outside calls has no address outside."""
    label = "networking.knative.dev/visibility"
    for service in objects.of(KNATIVE_SERVICE):
        given = (service["metadata"].get("labels") or {}).get(label)
        if name_of(service) not in PUBLIC and given != "cluster-local":
            yield service, f"metadata.labels.{label}", "set it to cluster-local"


def scale_has_bounds(objects: Objects) -> Found:
    """A function says how many requests a process takes, for how long, and how many there are."""
    for service in objects.of(KNATIVE_SERVICE):
        for name in ("metric", "target", "min-scale", "max-scale"):
            if SCALE + name not in annotations_of(service):
                yield service, f"spec.template.metadata.annotations.{SCALE}{name}", "set it"
        for name in ("containerConcurrency", "timeoutSeconds"):
            if name not in pod_of(service):
                yield service, f"spec.template.spec.{name}", "set it, with the reason"


def who_is_there_twice_stays_there(objects: Objects) -> Found:
    """A function with two processes or more keeps one while a node is drained."""
    budgets = {_selected(d): d for d in objects.of("policy/v1 PodDisruptionBudget")}
    for service in objects.of(KNATIVE_SERVICE):
        least = annotations_of(service).get(f"{SCALE}min-scale", "0")
        if least.isdecimal() and int(least) > 1 and name_of(service) not in budgets:
            yield service, f"spec.template.metadata.annotations.{SCALE}min-scale", \
                "add a PodDisruptionBudget: components/always-on"
    for budget in budgets.values():
        if budget["spec"].get("maxUnavailable") in (0, "0", "0%"):
            yield budget, "spec.maxUnavailable", "let a node be drained: at least 1"


def _selected(budget: Document) -> str:
    labels = budget.get("spec", {}).get("selector", {}).get("matchLabels", {})
    return str(labels.get("serving.knative.dev/service"))


RULES = (
    image_names_a_version, resources_are_set, probes_are_set, containers_are_confined,
    the_host_is_left_alone, the_apiserver_is_for_who_asks, only_the_gateway_is_public,
    scale_has_bounds, who_is_there_twice_stays_there)
