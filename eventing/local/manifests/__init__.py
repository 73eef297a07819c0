"""Reads `knative/base`: YAML documents in, one checked `Deployment` out, or every fault by name."""
