mock_provider "kustomization" {}

override_module {
  target  = module.overlay
  outputs = { namespace = "tollgate", ids = [] }
}

variables {
  overlay = "unused"
}

run "without_secrets_manager_nothing_is_copied" {
  assert {
    condition     = length(kustomization_resource.secret) == 0 && length(kustomization_resource.store) == 0
    error_message = "Secrets made outside need no store."
  }
}

run "each_known_secret_is_copied_by_reference" {
  variables {
    secrets = {
      region = "eu-central-1"
      arns = {
        grant-key       = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:grant"
        api-keys        = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:api"
        redis-url       = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redis"
        kafka           = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:AmazonMSK_kafka"
        model-providers = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:models"
      }
    }
  }

  assert {
    condition     = toset(keys(kustomization_resource.secret)) == toset(["tollgate-grant-key", "tollgate-api-keys", "tollgate-redis", "kafka-auth", "model-providers"])
    error_message = "One Secret for each."
  }

  assert {
    condition = jsondecode(kustomization_resource.secret["tollgate-grant-key"].manifest).spec.data == [{
      secretKey = "key", remoteRef = { key = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:grant" }
    }]
    error_message = "The functions read the key `key`."
  }

  assert {
    condition = jsondecode(kustomization_resource.secret["kafka-auth"].manifest).spec.target.template.data == {
      protocol = "SASL_SSL", "sasl.mechanism" = "SCRAM-SHA-512"
    }
    error_message = "The broker needs to know how it logs in."
  }

  assert {
    condition     = alltrue([for x in kustomization_resource.secret : jsondecode(x.manifest).kind == "ExternalSecret"])
    error_message = "No value may be in a manifest."
  }
}

run "a_missing_grant_key_is_refused" {
  command = plan
  variables {
    secrets = { region = "eu-central-1", arns = { api-keys = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:api" } }
  }
  expect_failures = [var.secrets]
}

run "an_unknown_secret_is_refused" {
  command = plan
  variables {
    secrets = {
      region = "eu-central-1"
      arns = {
        grant-key = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:grant"
        api-keys  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:api"
        grnat     = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:api"
      }
    }
  }
  expect_failures = [var.secrets]
}

run "a_value_in_place_of_an_arn_is_refused" {
  command = plan
  variables {
    secrets = { region = "eu-central-1", arns = { grant-key = "s3cret", api-keys = "s3cret" } }
  }
  expect_failures = [var.secrets]
}
