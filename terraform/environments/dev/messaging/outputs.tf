output "namespace" {
  description = "The namespace that functions go to."
  value       = module.messaging.namespace
}

output "secrets" {
  description = "Secrets that the functions need, and where they come from."
  value       = module.messaging.secrets
}

output "versions" {
  description = "Operators that this stack installed: name to version."
  value       = module.knative.versions
}
