variable "namespace" {
  description = "The namespace of the ledger, which messaging made."
  type        = string
}

variable "budgets" {
  description = "What every tenant may spend, in the form of docs/budgets.md: yamldecode(file(\"budgets.yaml\"))."
  # An object type would drop a misspelt field in silence; faults.tf names it.
  type = any

  validation {
    condition     = length(yamlencode(var.budgets)) < 1000000
    error_message = "A ConfigMap holds 1 MB: give the budgets of some tenants by `tollgate budget apply`."
  }
}
