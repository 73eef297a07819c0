provider "aws" {
  region            = var.region
  s3_use_path_style = var.s3_use_path_style

  default_tags {
    tags = {
      project     = "tollgate"
      environment = "staging"
      managed-by  = "terraform"
    }
  }
}

# Prod's services in their smallest size: what passes here has met a managed Redis and Kafka.
module "platform" {
  source = "../../../modules/platform"
  name   = var.name

  # Managed Kafka keeps its three copies in three zones.
  network = { cidr = "10.41.0.0/16", zone_count = 3, nat_gateways = 1, flow_log_days = 14 }

  cluster = {
    public_access_cidrs = var.public_access_cidrs
    addons              = var.addons
    nodes               = { instance_types = ["m7i.large"], min = 2, desired = 2, max = 4 }
  }

  redis           = { mode = "managed", node_type = "cache.t4g.small", replicas = 1, snapshot_days = 1 }
  kafka           = { mode = "managed", instance_type = "kafka.t3.small", disk_gib = 20 }
  secret_versions = var.secret_versions
  secret_values   = var.secret_values
}
