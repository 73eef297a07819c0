provider "aws" {
  region            = var.region
  s3_use_path_style = var.s3_use_path_style

  default_tags {
    tags = {
      project     = "tollgate"
      environment = "prod"
      managed-by  = "terraform"
    }
  }
}

# A zone may be lost: three of each, and every zone has its own way out.
module "platform" {
  source = "../../../modules/platform"
  name   = var.name

  network = { cidr = "10.42.0.0/16", zone_count = 3, nat_gateways = 3, flow_log_days = 90 }

  cluster = {
    public_access_cidrs = var.public_access_cidrs
    addons              = var.addons
    log_days            = 90
    nodes               = { instance_types = ["m7i.xlarge"], min = 3, desired = 3, max = 12, disk_gib = 100 }
  }

  redis           = { mode = "managed", node_type = "cache.r7g.large", replicas = 2, snapshot_days = 14 }
  kafka           = { mode = "managed", instance_type = "kafka.m7g.large", disk_gib = 500 }
  images_kept     = 100
  secret_versions = var.secret_versions
  secret_values   = var.secret_values
}
