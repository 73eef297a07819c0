module "overlay" {
  source = "../overlay"

  path      = var.overlay
  layer     = "apps"
  namespace = var.namespace
  registry  = var.registry
  image_tag = var.image_tag
  images    = var.images
  settings  = var.settings
  role_arns = var.role_arns
  timeout   = var.timeout
}
