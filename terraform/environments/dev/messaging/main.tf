module "access" {
  source = "../../../modules/access"

  kubeconfig_path = var.kubeconfig_path
  platform_state  = var.platform_state
  given = {
    cluster_name            = var.cluster_name
    cluster_endpoint        = var.cluster_endpoint
    cluster_ca_data         = var.cluster_ca_data
    region                  = var.region
    kafka_bootstrap_servers = var.kafka_bootstrap_servers
    kafka_auth_secret       = var.kafka_auth_secret
    secret_arns             = var.secret_arns
    function_role_arns      = var.function_role_arns
    operator_role_arns      = var.operator_role_arns
  }
}

locals {
  platform = module.access.platform
  arns     = try(local.platform.secret_arns, {})
}

module "knative" {
  source = "../../../modules/knative"

  directory          = "${path.root}/${var.releases_directory}"
  releases           = var.releases
  images             = var.release_images
  operator_role_arns = try(local.platform.operator_role_arns, {})
}

module "messaging" {
  source = "../../../modules/messaging"

  overlay   = "${path.root}/../../../../knative/overlays/dev"
  namespace = var.namespace
  after     = module.knative.versions

  # A Kafka in the cluster is where the overlay says.
  bootstrap_servers = try(length(local.platform.kafka_auth_secret), 0) > 0 ? local.platform.kafka_bootstrap_servers : null
  role_arns         = try(local.platform.function_role_arns, {})
  secrets           = length(local.arns) == 0 ? null : { region = local.platform.region, arns = local.arns }
}
