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
    condition     = length(aws_msk_cluster.this) == 0 && output.bootstrap_servers == "kafka-cluster-kafka-bootstrap.kafka:9092"
    error_message = "Strimzi's brokers need nothing of AWS."
  }
}

run "managed_keeps_three_copies_and_wants_a_password" {
  command = plan
  variables {
    mode                     = "managed"
    vpc_id                   = "vpc-1"
    subnet_ids               = ["subnet-1", "subnet-2", "subnet-3"]
    client_security_group_id = "sg-1"
  }
  assert {
    condition     = alltrue([for c in aws_msk_configuration.this : strcontains(c.server_properties, "default.replication.factor = 3") && strcontains(c.server_properties, "log.retention.hours = 144")])
    error_message = "Events must be kept three times, and no longer than state knows their duplicates."
  }
  assert {
    condition = alltrue([for c in aws_msk_cluster.this :
    c.client_authentication[0].sasl[0].scram && !c.client_authentication[0].unauthenticated && c.encryption_info[0].encryption_in_transit[0].client_broker == "TLS"])
    error_message = "Nobody may connect without a password, or without TLS."
  }
}

run "two_zones_are_too_few" {
  command = plan
  variables {
    mode                     = "managed"
    vpc_id                   = "vpc-1"
    subnet_ids               = ["subnet-1", "subnet-2"]
    client_security_group_id = "sg-1"
  }
  expect_failures = [aws_msk_cluster.this]
}

run "week_long_retention_is_refused" {
  command = plan
  variables {
    retention_hours = 168
  }
  expect_failures = [var.retention_hours]
}

run "bootstrap_without_port_is_refused" {
  command = plan
  variables {
    in_cluster_bootstrap = "kafka"
  }
  expect_failures = [var.in_cluster_bootstrap]
}
