locals {
  scaled = tomap({ config-kafka-features = tomap({ controller-autoscaler-keda = "enabled" }) })
  kafka_broker_config = (var.kafka_broker_config != null ? var.kafka_broker_config
  : contains(keys(var.releases), "keda") ? local.scaled : tomap({}))
}

# One after the other: each needs the definitions and webhooks of those before it.
module "cert_manager" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "cert-manager" }

  directory = "${var.directory}/cert-manager"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "strimzi" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "strimzi" }

  after     = values(module.cert_manager)[*].done
  directory = "${var.directory}/strimzi"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "keda" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "keda" }

  after     = values(module.strimzi)[*].done
  directory = "${var.directory}/keda"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "external_secrets" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "external-secrets" }

  after     = values(module.keda)[*].done
  directory = "${var.directory}/external-secrets"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
  role_arns = { for name, arn in var.operator_role_arns : name => arn if name == "external-secrets" }
}

module "serving" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "serving" }

  after     = values(module.external_secrets)[*].done
  directory = "${var.directory}/serving"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
  config    = var.serving_config
}

module "ingress" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "ingress" }

  after     = values(module.serving)[*].done
  directory = "${var.directory}/ingress"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "eventing" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "eventing" }

  after     = values(module.ingress)[*].done
  directory = "${var.directory}/eventing"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
  config    = var.eventing_config
}

module "kafka_broker" {
  source   = "./release"
  for_each = { for name, release in var.releases : name => release if name == "kafka-broker" }

  after     = values(module.eventing)[*].done
  directory = "${var.directory}/kafka-broker"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
  config    = local.kafka_broker_config
}
