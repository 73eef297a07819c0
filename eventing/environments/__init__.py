"""Makes environments: plans, applies, compares and destroys their stacks with Terraform."""
