# The ledger mounts it, and makes it so at its next sweep; what the file no longer holds goes away.
resource "kustomization_resource" "budgets" {
  manifest = jsonencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "budgets", namespace = var.namespace }
    data       = { "budgets.yaml" = yamlencode(var.budgets) }
  })

  timeouts {
    create = "2m"
  }

  lifecycle {
    precondition {
      condition     = length(local.faults) == 0
      error_message = "Budgets are not applied:\n- ${join("\n- ", slice(local.faults, 0, min(20, length(local.faults))))}\nThe file is described in docs/budgets.md."
    }
  }
}
