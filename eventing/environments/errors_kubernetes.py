"""What errors of Kubernetes, Knative and the kustomization provider mean."""

from eventing.environments.hint import Hint

HINTS: tuple[Hint, ...] = (
    Hint(r"connection refused|no such host|i/o timeout|no route to host|TLS handshake timeout",
         "The cluster does not answer at the address in the kubeconfig. Is it up, is a VPN needed, "
         "is the context right? `kubectl cluster-info` asks the same."),
    Hint(r"provider kustomization: (kubeconfig\w*|couldn't load)",
         "The kubeconfig cannot be read: `kubectl config view --kubeconfig FILE` says what is "
         "wrong with it."),
    Hint(r"x509: certificate|certificate signed by unknown authority",
         "The kubeconfig's certificate authority is not the cluster's: it was made anew. Fetch the "
         "kubeconfig again."),
    Hint(r"Unauthorized|must be logged in|client to provide credentials|getting credentials: exec",
         "The cluster does not accept these credentials: log in again, or fetch the kubeconfig "
         "again; for EKS, `aws sts get-caller-identity` says who you are."),
    Hint(r'timed out waiting for: "(?P<group>[\w.]+)/(?P<version>\w+), Kind=(?P<kind>\w+)": timeout'
         r'|no matches for kind "(?P<kind2>\w+)" in version "(?P<group2>[\w.]+)/\w+"',
         "The cluster does not know this kind: its CustomResourceDefinition is missing. Install "
         "what brings it (Knative Serving, Eventing, …): variable `releases` of messaging, or by "
         "hand; `kubectl api-resources` lists what there is."),
    Hint(r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<asked>[^,]+(?:,[^,]+?=[^,]+)*), used",
         r"The namespace's ResourceQuota \g<quota> has no room for \g<asked>: raise it, or ask for "
         "less (resources, min-scale). Then apply again: what is there already stays."),
    Hint(r'User "(?P<who>[^"]+)" cannot (?P<verb>\w+) resource "(?P<what>[^"]+)"',
         r"\g<who> may not \g<verb> \g<what> in the cluster: whoever administers it grants that "
         "(`kubectl auth can-i` tests it)."),
    Hint(r'admission webhook "(?P<hook>[^"]+)" denied the request',
         r"\g<hook> refuses the manifest for the reason above: correct the field that it names "
         "under knative/, and apply again; what was applied before stays and is kept."),
    Hint(r'failed calling webhook "(?P<hook>[^"]+)"',
         r"\g<hook> does not answer: its pods are not ready yet, or gone. `kubectl get pods -A` "
         "shows them; apply again when they run."),
    Hint(r'unknown field "(?P<field>[^"]+)"',
         r"There is no field \g<field>: it is misspelt, or the cluster's version does not know it "
         "yet."),
    Hint(r'namespaces "(?P<namespace>[^"]+)" not found'
         r'|timed out waiting for: "_/Namespace/_/(?P<namespace2>[^"]+)"',
         "The namespace is not there: apply messaging first, and give both stacks the same "
         "`namespace`."),
    Hint(r"being terminated|is being deleted",
         "The object is still being deleted: wait until `kubectl get` no longer shows it, then "
         "apply again."),
    Hint(r"timed out creating/updating (?P<kind>\w+) (?P<name>[\w./-]+)",
         r"\g<kind> \g<name> did not become ready: `kubectl describe` says why (an image that "
         "cannot be pulled, no room on any node, a failing probe)."),
    Hint(r'"(?P<id>[^"]+)" already exists|(?P<kind>\S+) "(?P<name>[^"]+)" already exists',
         "The object is there, and not in the state: take it over with `terraform import`, or "
         "delete it if nothing needs it."),
    Hint(r"field is immutable|Immutable fields changed",
         "This cannot be changed in place. A Broker's class and configuration are fixed: a new "
         "Broker needs another name, and its Triggers follow."),
    Hint(r"json error: unexpected end of JSON input",
         "Somebody removed the annotation by which the provider knows what it applied (kubectl "
         "apply --server-side does): python -m eventing.environments.repair "
         "terraform/environments/NAME/STACK writes it anew."),
    Hint(r"couldn't load|error parsing resource data|yaml: |accumulating resources",
         "The overlay cannot be built: `kubectl kustomize <overlay>` shows the same error with "
         "file and line."),
)
"""Searched from top to bottom; the first that is found answers."""
