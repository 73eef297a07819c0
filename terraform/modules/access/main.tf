data "terraform_remote_state" "platform" {
  count = var.platform_state == null ? 0 : 1

  backend = var.platform_state.backend
  config  = var.platform_state.config
}

locals {
  stored   = try(data.terraform_remote_state.platform[0].outputs, {})
  platform = merge(local.stored, { for name, value in var.given : name => value if try(length(value), 0) > 0 })

  on_platform = var.kubeconfig_path == "" && try(local.platform.cluster_endpoint, "") != ""

  # Its token is fetched at each run: nothing in here opens the cluster by itself.
  kubeconfig = {
    apiVersion      = "v1"
    kind            = "Config"
    current-context = "platform"
    contexts        = [{ name = "platform", context = { cluster = "platform", user = "platform" } }]
    clusters = [{ name = "platform", cluster = {
      server                     = try(local.platform.cluster_endpoint, "")
      certificate-authority-data = try(local.platform.cluster_ca_data, "")
    } }]
    users = [{ name = "platform", user = { exec = {
      apiVersion      = "client.authentication.k8s.io/v1beta1"
      interactiveMode = "Never"
      command         = "aws"
      args = [
        "eks", "get-token", "--output", "json",
        "--cluster-name", try(local.platform.cluster_name, ""),
        "--region", try(local.platform.region, ""),
      ]
    } } }]
  }
}
