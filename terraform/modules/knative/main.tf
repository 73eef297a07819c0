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
  source     = "./release"
  for_each   = { for name, release in var.releases : name => release if name == "strimzi" }
  depends_on = [module.cert_manager]

  directory = "${var.directory}/strimzi"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "keda" {
  source     = "./release"
  for_each   = { for name, release in var.releases : name => release if name == "keda" }
  depends_on = [module.strimzi]

  directory = "${var.directory}/keda"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "external_secrets" {
  source     = "./release"
  for_each   = { for name, release in var.releases : name => release if name == "external-secrets" }
  depends_on = [module.keda]

  directory = "${var.directory}/external-secrets"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "serving" {
  source     = "./release"
  for_each   = { for name, release in var.releases : name => release if name == "serving" }
  depends_on = [module.external_secrets]

  directory = "${var.directory}/serving"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
  config    = var.serving_config
}

module "ingress" {
  source     = "./release"
  for_each   = { for name, release in var.releases : name => release if name == "ingress" }
  depends_on = [module.serving]

  directory = "${var.directory}/ingress"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}

module "eventing" {
  source     = "./release"
  for_each   = { for name, release in var.releases : name => release if name == "eventing" }
  depends_on = [module.ingress]

  directory = "${var.directory}/eventing"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
  config    = var.eventing_config
}

module "kafka_broker" {
  source     = "./release"
  for_each   = { for name, release in var.releases : name => release if name == "kafka-broker" }
  depends_on = [module.eventing]

  directory = "${var.directory}/kafka-broker"
  files     = each.value.files
  images    = var.images
  timeout   = var.timeout
}
