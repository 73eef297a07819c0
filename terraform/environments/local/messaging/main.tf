module "messaging" {
  source = "../../../modules/messaging"

  overlay   = "${path.root}/../../../../knative/overlays/${var.overlay}"
  namespace = var.namespace
}
