# Ephemeral passwords cannot be mocked: this asks the AWS at AWS_ENDPOINT_URL for them.
provider "aws" {
  region = "eu-central-1"
}

variables {
  name = "tollgate-test"
}

run "secret_put_by_hand_has_no_version" {
  command = plan
  variables {
    given = { api-keys = 0 }
  }
  assert {
    condition     = length(aws_secretsmanager_secret.this) == 1 && length(aws_secretsmanager_secret_version.given) == 0
    error_message = "Number 0 leaves the value to people."
  }
}

run "secret_with_two_origins_is_refused" {
  command = plan
  variables {
    generated = { key = 1 }
    given     = { key = 0 }
  }
  expect_failures = [var.given]
}

run "version_zero_of_a_generated_secret_is_refused" {
  command = plan
  variables {
    generated = { key = 0 }
  }
  expect_failures = [var.generated]
}

run "six_days_of_recovery_are_refused" {
  command = plan
  variables {
    recovery_days = 6
  }
  expect_failures = [var.recovery_days]
}
