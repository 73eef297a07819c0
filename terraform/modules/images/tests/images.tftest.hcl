mock_provider "aws" {}

variables {
  name      = "tollgate-test"
  functions = ["gateway", "ledger"]
}

run "each_function_has_a_repository_with_final_tags" {
  command = plan
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_tag_mutability == "IMMUTABLE" && r.image_scanning_configuration[0].scan_on_push])
    error_message = "Tags must be immutable, and images scanned."
  }
  assert {
    condition     = toset([for r in aws_ecr_repository.this : r.name]) == toset(["tollgate-test/gateway", "tollgate-test/ledger"])
    error_message = "Repositories are named after environment and function."
  }
}

run "too_few_images_are_refused" {
  command = plan
  variables {
    images_kept = 1
  }
  expect_failures = [var.images_kept]
}

run "no_function_is_refused" {
  command = plan
  variables {
    functions = []
  }
  expect_failures = [var.functions]
}
