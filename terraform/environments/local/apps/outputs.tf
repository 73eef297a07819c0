output "namespace" {
  description = "The namespace that holds the functions."
  value       = module.apps.namespace
}

output "urls" {
  description = "Where people and programs reach the environment."
  value       = module.apps.urls
}

output "functions" {
  description = "Names of the functions that run."
  value       = module.apps.functions
}
