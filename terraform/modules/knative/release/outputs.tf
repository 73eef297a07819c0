output "ids" {
  description = "What the release applies: group/kind/namespace/name."
  value       = sort(keys(data.kustomization_overlay.this.manifests))

  precondition {
    condition     = length(local.absent) == 0
    error_message = "The release has no ConfigMap ${join(", ", local.absent)}, only ${join(", ", local.config_maps)}."
  }
}

output "done" {
  description = "For after: known once all of it runs."
  value       = true

  depends_on = [kustomization_resource.third]
}
