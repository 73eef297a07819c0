module "access" {
  source = "../../../modules/access"

  kubeconfig_path = var.kubeconfig_path
  platform_state  = var.platform_state
  given = {
    cluster_name       = var.cluster_name
    cluster_endpoint   = var.cluster_endpoint
    cluster_ca_data    = var.cluster_ca_data
    region             = var.region
    registry           = var.registry
    archive_bucket     = var.archive_bucket
    function_role_arns = var.function_role_arns
  }
}

locals {
  platform = module.access.platform
  overlay  = "${path.root}/../../../../knative/overlays/prod"
}

module "apps" {
  source = "../../../modules/apps"

  overlay   = local.overlay
  namespace = var.namespace
  registry  = try(local.platform.registry, null)
  image_tag = var.image_tag
  images    = var.images
  settings  = merge(try({ COSTS_ARCHIVE_BUCKET = local.platform.archive_bucket }, {}), var.settings)
  role_arns = try(local.platform.function_role_arns, {})
  ingress   = var.ingress
  scheme    = var.scheme
}

module "budgets" {
  source = "../../../modules/budgets"
  count  = var.budgets_file == null ? 0 : 1

  namespace = module.apps.namespace
  budgets   = yamldecode(file("${path.root}/${var.budgets_file}"))
}

module "observability" {
  source = "../../../modules/observability"
  count  = var.observability ? 1 : 0

  overlay     = local.overlay
  namespace   = var.namespace
  grafana_url = var.grafana_url
}
