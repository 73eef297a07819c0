"""What Terraform finds in its environment: outputs of earlier stacks, the cluster's kubeconfig."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CLUSTER = ("cluster_name", "cluster_endpoint", "cluster_ca_data", "region")


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's environment with what follows from it; what is set there is kept."""
    defaults = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    if environ.get("AWS_ENDPOINT_URL"):
        defaults["TF_VAR_s3_use_path_style"] = "true"
    if environ.get("TOLLGATE_STATE_BUCKET"):
        defaults["TF_VAR_state_bucket"] = environ["TOLLGATE_STATE_BUCKET"]
        defaults["TF_VAR_state_region"] = environ.get("TOLLGATE_STATE_REGION", "")
    if environ.get("KUBECONFIG"):
        defaults["TF_VAR_kubeconfig_path"] = environ["KUBECONFIG"]
    return defaults | dict(environ)


def with_outputs(environ: Mapping[str, str], outputs: Mapping[str, Any]) -> dict[str, str]:
    """Return `environ` with each output as the variable of its name; what is set already wins."""
    given = {f"TF_VAR_{name}": value if isinstance(value, str) else json.dumps(value)
             for name, value in outputs.items() if value is not None}
    return given | dict(environ)


def with_kubeconfig(environ: Mapping[str, str], outputs: Mapping[str, Any],
                    file: Path) -> dict[str, str]:
    """Return `environ` with a kubeconfig for the platform's cluster, written to `file`.

    A KUBECONFIG that the caller has set wins; without a cluster nothing is written.
    """
    if environ.get("KUBECONFIG") or not all(outputs.get(name) for name in CLUSTER):
        return dict(environ)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(kubeconfig(outputs), sort_keys=False))
    file.chmod(0o600)
    path = str(file)
    return {"TF_VAR_kubeconfig_path": path, **environ, "KUBECONFIG": path, "KUBE_CONFIG_PATH": path}


def kubeconfig(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kubeconfig without a secret: the AWS command line makes tokens when asked."""
    name, endpoint, ca_data, region = (outputs[key] for key in CLUSTER)
    arguments = ["eks", "get-token", "--cluster-name", name, "--region", region,
                 "--output", "json"]
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {
            "server": endpoint, "certificate-authority-data": ca_data}}],
        "users": [{"name": name, "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws",
            "args": arguments, "interactiveMode": "Never"}}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
