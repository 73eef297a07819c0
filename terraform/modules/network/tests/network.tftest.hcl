mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name  = "tollgate-test"
  zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
}

run "one_gateway_serves_every_zone" {
  command = plan
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "Three zones must share the one NAT gateway."
  }
}

run "a_gateway_per_zone" {
  command = plan
  variables {
    nat_gateways = 3
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "Each zone must have a NAT gateway of its own."
  }
}

run "no_gateway_no_way_out" {
  command = plan
  variables {
    nat_gateways = 0
  }
  assert {
    condition     = length(aws_route.nat) == 0
    error_message = "Without a NAT gateway no route may lead out."
  }
}

run "subnets_do_not_overlap" {
  command = plan
  assert {
    condition = length(distinct(concat(
      [for s in aws_subnet.private : s.cidr_block], [for s in aws_subnet.public : s.cidr_block]
    ))) == 6
    error_message = "Six subnets need six ranges."
  }
}

run "flow_logs_are_kept_when_asked" {
  command = plan
  variables {
    flow_log_days = 14
  }
  assert {
    condition     = length(aws_flow_log.this) == 1 && aws_cloudwatch_log_group.flow[0].retention_in_days == 14
    error_message = "Flow logs must be kept for 14 days."
  }
}

run "one_zone_is_refused" {
  command = plan
  variables {
    zones = ["eu-central-1a"]
  }
  expect_failures = [var.zones]
}

run "two_gateways_for_three_zones_are_refused" {
  command = plan
  variables {
    nat_gateways = 2
  }
  expect_failures = [var.nat_gateways]
}

run "bad_range_is_refused" {
  command = plan
  variables {
    cidr = "10.0.0.0/8"
  }
  expect_failures = [var.cidr]
}

run "bad_name_is_refused" {
  command = plan
  variables {
    name = "Tollgate_Dev"
  }
  expect_failures = [var.name]
}
