terraform {
  required_version = ">= 1.11"

  required_providers {
    kustomization = {
      source  = "kbst/kustomization"
      version = "0.9.8"
    }
  }
}
