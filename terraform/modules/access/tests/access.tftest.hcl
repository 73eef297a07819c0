run "a_platform_given_as_variables_is_reached_with_a_fresh_token" {
  variables {
    kubeconfig_path = ""
    given = {
      cluster_name = "dev", cluster_endpoint = "https://cluster.example", cluster_ca_data = "Q0E=", region = "eu-central-1", registry = ""
    }
  }

  assert {
    condition     = output.kubeconfig_path == null
    error_message = "The provider takes one of both."
  }

  assert {
    condition     = yamldecode(output.kubeconfig_raw).clusters[0].cluster.server == "https://cluster.example"
    error_message = "The platform's cluster is meant."
  }

  assert {
    condition     = yamldecode(output.kubeconfig_raw).users[0].user.exec.args[5] == "dev"
    error_message = "The token is of that cluster."
  }

  assert {
    condition     = !contains(keys(output.platform), "registry")
    error_message = "An empty variable says nothing."
  }
}

run "a_state_says_what_no_variable_says" {
  variables {
    kubeconfig_path = ""
    platform_state  = { backend = "local", config = { path = "tests/state.json" } }
    given           = { region = "us-east-1" }
  }

  assert {
    condition     = output.platform.cluster_name == "from-state" && output.platform.region == "us-east-1"
    error_message = "Variables come first, then the state."
  }
}

run "a_kubeconfig_comes_before_the_platform" {
  variables {
    kubeconfig_path = "versions.tf"
    given           = { cluster_endpoint = "https://cluster.example" }
  }

  assert {
    condition     = output.kubeconfig_path == "versions.tf" && output.kubeconfig_raw == null
    error_message = "What is given by hand is meant."
  }
}

run "a_missing_kubeconfig_is_refused" {
  command = plan
  variables {
    kubeconfig_path = "/nowhere/config"
  }
  expect_failures = [var.kubeconfig_path]
}
