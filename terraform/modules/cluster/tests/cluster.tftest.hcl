mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name       = "tollgate-test"
  subnet_ids = ["subnet-1", "subnet-2"]
}

run "api_is_private_unless_ranges_are_named" {
  command = plan
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "Without ranges the API must be reached from the network alone."
  }
}

run "named_ranges_reach_the_api" {
  command = plan
  variables {
    public_access_cidrs = ["203.0.113.0/24"]
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "A named range must reach the API."
  }
}

run "bad_range_is_refused" {
  command = plan
  variables {
    public_access_cidrs = ["everybody"]
  }
  expect_failures = [var.public_access_cidrs]
}

run "fewer_nodes_than_the_least_are_refused" {
  command = plan
  variables {
    nodes = { min = 3, desired = 2, max = 4 }
  }
  expect_failures = [var.nodes]
}

run "unknown_capacity_is_refused" {
  command = plan
  variables {
    nodes = { capacity_type = "CHEAP" }
  }
  expect_failures = [var.nodes]
}

run "old_kubernetes_is_refused" {
  command = plan
  variables {
    kubernetes_version = "1.24"
  }
  expect_failures = [var.kubernetes_version]
}

run "one_subnet_is_refused" {
  command = plan
  variables {
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}
