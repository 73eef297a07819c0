"""Knative Services as an API server says them."""


def service(name="researcher", image="dev.local/a:1", *, traffic=(("researcher-00001", 100),),
            latest="researcher-00001", rollout=None, version="7"):
    annotations = {"tollgate.dev/rollout": rollout.document()} if rollout else {}
    return {
        "metadata": {"name": name, "namespace": "prod", "resourceVersion": version,
                     "generation": 1, "annotations": annotations},
        "spec": {"template": {"metadata": {"name": "researcher-first"}, "spec": {
            "containers": [{"image": image, "env": [{"name": "A", "value": "1"}]}],
            "volumes": []}}},
        "status": {"observedGeneration": 1, "latestCreatedRevisionName": latest,
                   "latestReadyRevisionName": latest, "traffic": [
                       {"revisionName": r, "percent": p} for r, p in traffic]}}
