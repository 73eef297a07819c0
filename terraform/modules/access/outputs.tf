output "platform" {
  description = "The platform's outputs, wherever they come from."
  value       = local.platform
}

output "kubeconfig_path" {
  description = "For the provider's kubeconfig_path; null when kubeconfig_raw says it."
  value       = local.on_platform ? null : pathexpand(coalesce(var.kubeconfig_path, "~/.kube/config"))

  precondition {
    condition     = local.on_platform || fileexists(pathexpand(coalesce(var.kubeconfig_path, "~/.kube/config")))
    error_message = "No cluster is known: set kubeconfig_path (TF_VAR_kubeconfig_path), or platform_state to the state of an applied platform, or use make apply env=<name>."
  }
}

output "kubeconfig_raw" {
  description = "For the provider's kubeconfig_raw; null when kubeconfig_path says it."
  value       = local.on_platform ? yamlencode(local.kubeconfig) : null
}
