"""The embedded runtime: what Knative does with our manifests, on one machine."""
