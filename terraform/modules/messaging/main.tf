module "overlay" {
  source = "../overlay"

  path              = var.overlay
  layer             = "messaging"
  namespace         = var.namespace
  bootstrap_servers = var.bootstrap_servers
  role_arns         = var.role_arns
  wait              = var.wait
  timeout           = var.timeout
}

locals {
  namespace = module.overlay.namespace
  store     = "secrets-manager"
}

# Values go from Secrets Manager to the namespace without passing through Terraform.
resource "kustomization_resource" "reader" {
  count      = var.secrets == null ? 0 : 1
  depends_on = [module.overlay]

  manifest = jsonencode({
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata = {
      name        = local.store
      namespace   = local.namespace
      annotations = { "eks.amazonaws.com/role-arn" = var.secrets.role_arn }
    }
  })
}

resource "kustomization_resource" "store" {
  count      = var.secrets == null ? 0 : 1
  depends_on = [kustomization_resource.reader]

  manifest = jsonencode({
    apiVersion = "external-secrets.io/v1"
    kind       = "SecretStore"
    metadata   = { name = local.store, namespace = local.namespace }
    spec = { provider = { aws = {
      service = "SecretsManager"
      region  = var.secrets.region
      auth    = { jwt = { serviceAccountRef = { name = local.store } } }
    } } }
  })

  timeouts {
    create = var.timeout
  }
}

resource "kustomization_resource" "secret" {
  for_each   = var.secrets == null ? {} : var.secrets.names
  depends_on = [kustomization_resource.store]

  manifest = jsonencode({
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = { name = each.key, namespace = local.namespace }
    spec = {
      # A rotated key is in the namespace within this time; functions read it when they start.
      refreshInterval = "5m"
      secretStoreRef  = { kind = "SecretStore", name = local.store }
      target          = { name = each.key, creationPolicy = "Owner" }
      data            = [{ secretKey = each.value.key, remoteRef = { key = each.value.secret } }]
    }
  })

  timeouts {
    create = var.timeout
  }
}
