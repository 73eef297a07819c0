terraform {
  required_version = ">= 1.11"

  required_providers {
    kustomization = {
      source  = "kbst/kustomization"
      version = "0.9.8"
    }
  }

  backend "local" {}
}

provider "kustomization" {
  kubeconfig_path = module.access.kubeconfig_path
  kubeconfig_raw  = module.access.kubeconfig_raw
  context         = var.kube_context
}
