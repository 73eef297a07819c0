mock_provider "kustomization" {}

variables {
  namespace = "tollgate"
  budgets = {
    version = 1
    tenants = {
      acme = {
        timezone = "Europe/Berlin"
        budgets = [
          { scope = "tenant", window = "month", usd = "250.00", thresholds = [50, 80, 100], policy = "pause" },
          { scope = "tool", id = "notify", window = "hour", calls = 60 },
        ]
      }
    }
    platform = [{ cap = "everybody", window = "month", usd = "1000", chunk = "10", tenants = ["acme"] }]
  }
}

run "the_file_reaches_the_config_map_as_it_is" {
  command = apply

  assert {
    condition     = yamldecode(jsondecode(kustomization_resource.budgets.manifest).data["budgets.yaml"]) == var.budgets
    error_message = "The ledger would read other budgets than were given."
  }

  assert {
    condition     = output.tenants == { acme = 2 }
    error_message = "Every tenant's budgets are counted."
  }
}

run "a_misspelt_field_is_refused" {
  command = plan
  variables {
    budgets = { version = 1, tenants = { acme = { budgets = [{ scope = "tenant", windw = "day", usd = "1" }] } } }
  }
  expect_failures = [kustomization_resource.budgets]
}

run "a_negative_limit_is_refused" {
  command = plan
  variables {
    budgets = { version = 1, tenants = { acme = { budgets = [{ scope = "tenant", calls = -1 }] } } }
  }
  expect_failures = [kustomization_resource.budgets]
}

run "an_unknown_window_is_refused" {
  command = plan
  variables {
    budgets = { version = 1, tenants = { acme = { budgets = [{ scope = "tenant", window = "year", calls = 1 }] } } }
  }
  expect_failures = [kustomization_resource.budgets]
}

run "a_budget_without_a_unit_is_refused" {
  command = plan
  variables {
    budgets = { version = 1, tenants = { acme = { budgets = [{ scope = "tenant", window = "day" }] } } }
  }
  expect_failures = [kustomization_resource.budgets]
}

run "an_agent_without_its_name_is_refused" {
  command = plan
  variables {
    budgets = { version = 1, tenants = { acme = { budgets = [{ scope = "agent", usd = "1" }] } } }
  }
  expect_failures = [kustomization_resource.budgets]
}
