data "kustomization_overlay" "this" {
  resources = [for file in sort(keys(var.files)) : "${var.directory}/${file}"]

  dynamic "patches" {
    for_each = var.config
    content {
      target {
        kind = "ConfigMap"
        name = patches.key
      }
      # A merge, since a release's ConfigMap may have no data of its own.
      patch = yamlencode({
        apiVersion = "v1"
        kind       = "ConfigMap"
        metadata   = { name = patches.key }
        data       = patches.value
      })
    }
  }

  dynamic "patches" {
    for_each = var.role_arns
    content {
      target {
        kind = "ServiceAccount"
        name = patches.key
      }
      patch = yamlencode({
        apiVersion = "v1"
        kind       = "ServiceAccount"
        metadata = {
          name        = patches.key
          annotations = { "eks.amazonaws.com/role-arn" = patches.value }
        }
      })
    }
  }

  dynamic "images" {
    for_each = var.images
    content {
      name     = images.key
      new_name = images.value
    }
  }
}

locals {
  config_maps = [
    for id in keys(data.kustomization_overlay.this.manifests) :
    split("/", id)[3] if startswith(id, "_/ConfigMap/")
  ]
  absent = setsubtract(keys(var.config), local.config_maps)
}

# Namespaces and definitions, then all else, then webhooks, which need somebody to answer them.
resource "kustomization_resource" "first" {
  for_each   = toset(data.kustomization_overlay.this.ids_prio[0])
  depends_on = [var.after]

  manifest = data.kustomization_overlay.this.manifests[each.value]
}

resource "kustomization_resource" "second" {
  for_each   = toset(data.kustomization_overlay.this.ids_prio[1])
  depends_on = [kustomization_resource.first, var.after]

  manifest = data.kustomization_overlay.this.manifests[each.value]
  wait     = true

  timeouts {
    create = var.timeout
    update = var.timeout
  }
}

resource "kustomization_resource" "third" {
  for_each   = toset(data.kustomization_overlay.this.ids_prio[2])
  depends_on = [kustomization_resource.second]

  manifest = data.kustomization_overlay.this.manifests[each.value]
}
