# What every environment consists of; dev, staging and prod differ in their values alone.

data "aws_availability_zones" "available" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"] # without local zones, where EKS cannot be
  }
}

data "aws_region" "current" {}

locals {
  recovery_days = var.protected ? 7 : 0
  buckets = {
    archive   = module.storage.archive_bucket_arn
    workspace = module.storage.workspace_bucket_arn
  }
  rights = {
    for name, function in var.functions : name => { for kind, right in function : kind => right if right != null }
  }
  addon_roles = { aws-ebs-csi-driver = module.identity.operator_role_arns["ebs-csi"] }
  # Keys of the map are known before anything exists, its values are not.
  secret_arns = merge(
    module.secrets.arns,
    var.redis.mode == "managed" ? { redis-url = module.redis.url_secret_arn } : {},
    var.kafka.mode == "managed" ? { kafka = module.kafka.auth_secret_arn } : {},
  )
  secret_key_arns = concat(
    [module.secrets.kms_key_arn],
    var.redis.mode == "managed" ? [module.redis.key_arn] : [],
    var.kafka.mode == "managed" ? [module.kafka.key_arn] : [],
  )
}

module "network" {
  source        = "../network"
  name          = var.name
  cidr          = var.network.cidr
  zones         = slice(data.aws_availability_zones.available.names, 0, var.network.zone_count)
  nat_gateways  = var.network.nat_gateways
  flow_log_days = var.network.flow_log_days
}

module "cluster" {
  source              = "../cluster"
  name                = var.name
  kubernetes_version  = var.cluster.version
  subnet_ids          = module.network.private_subnet_ids
  public_access_cidrs = var.cluster.public_access_cidrs
  log_days            = var.cluster.log_days
  nodes               = var.cluster.nodes
  addons = {
    for name, version in var.cluster.addons : name => { version = version, role_arn = lookup(local.addon_roles, name, null) }
  }
}

module "images" {
  source       = "../images"
  name         = var.name
  functions    = keys(var.functions)
  images_kept  = var.images_kept
  force_delete = !var.protected
}

module "storage" {
  source          = "../storage"
  name            = var.name
  archive         = var.storage.archive
  noncurrent_days = var.storage.noncurrent_days
  force_destroy   = !var.protected
}

module "secrets" {
  source    = "../secrets"
  name      = var.name
  generated = { grant-key = var.secret_versions.grant_key }
  given = {
    api-keys        = var.secret_versions.api_keys
    model-providers = var.secret_versions.model_providers
  }
  values        = var.secret_values
  recovery_days = local.recovery_days
}

module "redis" {
  source                   = "../redis"
  name                     = var.name
  mode                     = var.redis.mode
  namespace                = var.namespace
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = module.cluster.security_group_id
  node_type                = var.redis.node_type
  replicas                 = var.redis.replicas
  snapshot_days            = var.redis.snapshot_days
  token_version            = var.redis.token_version
  recovery_days            = local.recovery_days
}

module "kafka" {
  source                   = "../kafka"
  name                     = var.name
  mode                     = var.kafka.mode
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = module.cluster.security_group_id
  kafka_version            = var.kafka.version
  broker                   = { instance_type = var.kafka.instance_type, disk_gib = var.kafka.disk_gib }
  password_version         = var.kafka.password_version
  recovery_days            = local.recovery_days
}

module "identity" {
  source            = "../identity"
  name              = var.name
  namespace         = var.namespace
  oidc_provider_arn = module.cluster.oidc_provider_arn
  oidc_issuer       = module.cluster.oidc_issuer
  functions         = local.rights
  buckets           = local.buckets
  bucket_key_arn    = module.storage.kms_key_arn
  secret_arns       = values(local.secret_arns)
  secret_key_arns   = local.secret_key_arns
}
