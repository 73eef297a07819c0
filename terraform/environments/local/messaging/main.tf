module "access" {
  source = "../../../modules/access"

  kubeconfig_path = var.kubeconfig_path
}

module "messaging" {
  source = "../../../modules/messaging"

  overlay   = "${path.root}/../../../../knative/overlays/${var.overlay}"
  namespace = var.namespace
  wait      = var.wait
}
