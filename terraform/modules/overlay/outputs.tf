output "namespace" {
  description = "The namespace that holds everything."
  value       = local.namespace
}

output "functions" {
  description = "Names of the functions in the overlay."
  value       = local.functions

  precondition {
    condition     = length(local.unknown) == 0
    error_message = "No such function: ${join(", ", local.unknown)}. ${var.path} has ${join(", ", local.functions)}."
  }
}

output "ids" {
  description = "What this layer applies: group/kind/namespace/name."
  value       = sort(flatten(local.levels))

  precondition {
    condition     = !anytrue([for id in local.ids_as_is : startswith(id, "_/Secret/")])
    error_message = "${var.path} holds a Secret, which would be readable in Terraform's state. Create it outside: docs/adr/0019-secrets-outside-terraform.md."
  }

  precondition {
    condition     = length(local.placeholders) == 0
    error_message = "Nothing answers at ${join(", ", local.placeholders)}: the overlay leaves this address to whoever applies it. Give bootstrap_servers (Kafka) or settings."
  }
}

output "manifests" {
  description = "What this layer applies: id to object."
  value       = { for id in flatten(local.levels) : id => jsondecode(local.moved[id]) }
}

output "settings" {
  description = "The ConfigMap tollgate as it is applied."
  value = one([
    for id, manifest in local.moved : jsondecode(manifest).data
    if can(regex("^_/ConfigMap/[^/]+/tollgate(-[a-z0-9]{10})?$", id))
  ])
}
