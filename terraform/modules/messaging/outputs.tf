output "namespace" {
  description = "The namespace that functions go to."
  value       = local.namespace

  # Known only once everything in it is there.
  depends_on = [kustomization_resource.secret, module.overlay]
}

output "secrets" {
  description = "Secrets that the functions need, and where they come from."
  value = var.secrets == null ? {
    tollgate-grant-key = "made outside: tollgate secrets make"
    tollgate-api-keys  = "made outside: tollgate secrets make"
  } : { for name, copy in local.copied : name => "Secrets Manager: ${copy.from}" }
}

output "ids" {
  description = "What is applied: group/kind/namespace/name."
  value       = module.overlay.ids
}
