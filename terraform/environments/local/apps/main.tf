module "access" {
  source = "../../../modules/access"

  kubeconfig_path = var.kubeconfig_path
}

module "apps" {
  source = "../../../modules/apps"

  overlay   = "${path.root}/../../../../knative/overlays/${var.overlay}"
  namespace = var.namespace
  registry  = var.registry
  image_tag = var.image_tag
  images    = var.images
  settings  = var.settings
  ingress   = var.ingress
}

module "budgets" {
  source = "../../../modules/budgets"
  count  = var.budgets_file == null ? 0 : 1

  namespace = module.apps.namespace
  budgets   = yamldecode(file("${path.root}/${var.budgets_file}"))
}
