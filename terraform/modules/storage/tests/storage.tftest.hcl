mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name = "tollgate-test"
}

run "buckets_are_named_by_the_account" {
  command = plan
  assert {
    condition     = aws_s3_bucket.this["archive"].bucket == "tollgate-test-archive-123456789012"
    error_message = "Bucket names need the account, they are one namespace for all of AWS."
  }
}

run "archive_is_kept_for_ever_by_default" {
  command = plan
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.archive.rule[0].expiration) == 0
    error_message = "Attribution events must not go unless somebody says so."
  }
}

run "archive_ends_when_asked" {
  command = plan
  variables {
    archive = { expire_days = 3650 }
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.archive.rule[0].expiration[0].days == 3650
    error_message = "The archive must end after ten years."
  }
}

run "glacier_before_infrequent_access_is_refused" {
  command = plan
  variables {
    archive = { infrequent_days = 60, glacier_days = 61 }
  }
  expect_failures = [var.archive]
}

run "expiry_before_glacier_is_refused" {
  command = plan
  variables {
    archive = { expire_days = 10 }
  }
  expect_failures = [var.archive]
}

run "nothing_to_bring_back_is_refused" {
  command = plan
  variables {
    noncurrent_days = 0
  }
  expect_failures = [var.noncurrent_days]
}
