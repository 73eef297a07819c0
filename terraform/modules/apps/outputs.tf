output "namespace" {
  description = "The namespace that holds the functions."
  value       = module.overlay.namespace
}

output "functions" {
  description = "Names of the functions that run."
  value       = module.overlay.functions
}

output "urls" {
  description = "Where people and programs reach the environment: gateway from outside, costs page inside the cluster."
  value = {
    gateway = "${var.scheme}://gateway.${module.overlay.namespace}.${var.ingress}"
    costs   = try(module.overlay.settings["COSTS_URL"], null)
  }
}

output "ids" {
  description = "What is applied: group/kind/namespace/name."
  value       = module.overlay.ids
}
