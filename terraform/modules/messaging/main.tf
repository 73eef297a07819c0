module "overlay" {
  source = "../overlay"

  path              = var.overlay
  layer             = "messaging"
  namespace         = var.namespace
  bootstrap_servers = var.bootstrap_servers
  role_arns         = var.role_arns
  after             = var.after
  wait              = var.wait
  timeout           = var.timeout
}

locals {
  namespace = module.overlay.namespace
  store     = "secrets-manager"
  arns      = try(var.secrets.arns, {})

  # Secret in the namespace: where its keys come from.
  copies = {
    tollgate-grant-key = { from = "grant-key", keys = { key = null } }
    tollgate-api-keys  = { from = "api-keys", keys = { "api-keys.json" = null } }
    tollgate-redis     = { from = "redis-url", keys = { url = null } }
    kafka-auth         = { from = "kafka", keys = { user = "username", password = "password" } }
    model-providers    = { from = "model-providers", keys = {} }
  }
  copied = { for name, copy in local.copies : name => copy if contains(keys(local.arns), copy.from) }

  # What is no secret, beside what is.
  fixed = {
    kafka-auth = { protocol = "SASL_SSL", "sasl.mechanism" = "SCRAM-SHA-512" }
  }
}

# Values go from Secrets Manager to the namespace without passing through Terraform. The operator's
# own role reads them.
resource "kustomization_resource" "store" {
  count      = var.secrets == null ? 0 : 1
  depends_on = [module.overlay]

  manifest = jsonencode({
    apiVersion = "external-secrets.io/v1"
    kind       = "SecretStore"
    metadata   = { name = local.store, namespace = local.namespace }
    spec       = { provider = { aws = { service = "SecretsManager", region = var.secrets.region } } }
  })

  timeouts {
    create = var.timeout
  }
}

resource "kustomization_resource" "secret" {
  for_each   = local.copied
  depends_on = [kustomization_resource.store]

  manifest = jsonencode({
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = { name = each.key, namespace = local.namespace }
    spec = merge({
      # A rotated key is in the namespace within this time; functions read it when they start.
      refreshInterval = "5m"
      secretStoreRef  = { kind = "SecretStore", name = local.store }
      target = merge({ name = each.key, creationPolicy = "Owner" }, try({
        template = { mergePolicy = "Merge", data = local.fixed[each.key] }
      }, {}))
      }, length(each.value.keys) == 0 ? {
      dataFrom = [{ extract = { key = local.arns[each.value.from] } }]
      data     = []
      } : {
      dataFrom = []
      data = [
        for key, property in each.value.keys : { secretKey = key, remoteRef = merge(
          { key = local.arns[each.value.from] }, property == null ? {} : { property = property }
        ) }
      ]
    })
  })

  timeouts {
    create = var.timeout
  }
}
