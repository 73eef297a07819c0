provider "aws" {
  region            = var.region
  s3_use_path_style = var.s3_use_path_style

  default_tags {
    tags = {
      project     = "tollgate"
      environment = "dev"
      managed-by  = "terraform"
    }
  }
}

# Small: two zones with one way out, cheap nodes that may vanish, Redis and Kafka in the cluster.
module "platform" {
  source    = "../../../modules/platform"
  name      = var.name
  protected = false

  network = { cidr = "10.40.0.0/16", zone_count = 2, nat_gateways = 1 }

  cluster = {
    public_access_cidrs = var.public_access_cidrs
    addons              = var.addons
    log_days            = 7
    nodes = {
      instance_types = ["m7i.large", "m6i.large", "m5.large"]
      capacity_type  = "SPOT"
      min            = 1
      desired        = 2
      max            = 3
    }
  }

  redis           = { mode = "in-cluster" }
  kafka           = { mode = "in-cluster" }
  storage         = { noncurrent_days = 7 }
  images_kept     = 10
  secret_versions = var.secret_versions
  secret_values   = var.secret_values
}
