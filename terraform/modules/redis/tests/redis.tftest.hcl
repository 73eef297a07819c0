# Ephemeral passwords cannot be mocked: this asks the AWS at AWS_ENDPOINT_URL for them.
provider "aws" {
  region = "eu-central-1"
}

variables {
  name = "tollgate-test"
  mode = "in-cluster"
}

run "in_the_cluster_nothing_is_made" {
  command = plan
  assert {
    condition     = length(aws_elasticache_replication_group.this) == 0 && output.url == "redis://redis.tollgate.svc.cluster.local:6379/0"
    error_message = "The manifests' own Redis needs nothing of AWS."
  }
}

run "managed_is_encrypted_and_in_two_zones" {
  command = plan
  variables {
    mode                     = "managed"
    vpc_id                   = "vpc-1"
    subnet_ids               = ["subnet-1", "subnet-2"]
    client_security_group_id = "sg-1"
  }
  assert {
    condition = alltrue([for g in aws_elasticache_replication_group.this :
    g.transit_encryption_enabled && g.at_rest_encryption_enabled == "true" && g.multi_az_enabled && g.num_cache_clusters == 2])
    error_message = "Managed Redis must be encrypted and survive a zone."
  }
  assert {
    condition     = alltrue([for p in aws_elasticache_parameter_group.this : contains([for v in p.parameter : "${v.name}=${v.value}"], "maxmemory-policy=noeviction")])
    error_message = "An evicted account is lost money."
  }
  assert {
    condition     = alltrue([for g in aws_elasticache_replication_group.this : g.auth_token == null])
    error_message = "A password given to the provider would be in the state."
  }
  assert {
    condition     = output.url == ""
    error_message = "The URL holds a password and is in Secrets Manager alone."
  }
}

run "unknown_mode_is_refused" {
  command = plan
  variables {
    mode = "cloud"
  }
  expect_failures = [var.mode]
}

run "no_replica_is_refused" {
  command = plan
  variables {
    replicas = 0
  }
  expect_failures = [var.replicas]
}

run "no_snapshot_is_refused" {
  command = plan
  variables {
    snapshot_days = 0
  }
  expect_failures = [var.snapshot_days]
}
