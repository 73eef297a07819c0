module "overlay" {
  source = "../overlay"

  path      = var.overlay
  layer     = "observability"
  namespace = var.namespace
  timeout   = var.timeout
}

locals {
  boards = flatten([
    for id, object in module.overlay.manifests : [
      for file, text in object.data : jsondecode(text)
    ] if object.kind == "ConfigMap"
  ])
}
