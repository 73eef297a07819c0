mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name              = "tollgate-test"
  oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1"
  oidc_issuer       = "oidc.example/id/1"
  buckets           = { archive = "arn:aws:s3:::archive", workspace = "arn:aws:s3:::workspace" }
  bucket_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/1"
  functions         = { costs = { archive = "write" }, reader = { workspace = "read" }, ledger = {} }
}

run "only_functions_with_rights_have_a_policy" {
  command = plan
  assert {
    condition     = toset(keys(aws_iam_role_policy.buckets)) == toset(["costs", "reader"])
    error_message = "A function without a bucket must have no policy."
  }
}

run "each_role_names_one_service_account" {
  command = plan
  assert {
    condition     = local.subjects["reader"] == "system:serviceaccount:tollgate:reader"
    error_message = "A role is taken by the service account of its function alone."
  }
}

run "unknown_right_is_refused" {
  command = plan
  variables {
    functions = { costs = { archive = "admin" } }
  }
  expect_failures = [var.functions]
}

run "unknown_bucket_is_refused" {
  command = plan
  variables {
    functions = { costs = { attic = "read" } }
  }
  expect_failures = [var.functions]
}

run "issuer_with_a_scheme_is_refused" {
  command = plan
  variables {
    oidc_issuer = "https://oidc.example/id/1"
  }
  expect_failures = [var.oidc_issuer]
}
