variable "directory" {
  description = "Folder with one folder per release, named as in releases, relative to the working directory. The project ships none: the operator downloads manifests from where the organisation trusts them."
  type        = string
}

variable "releases" {
  description = "What is installed: name to version and files with their SHA-256. Known names, in the order of installation: cert-manager, strimzi, keda, external-secrets, serving, ingress, eventing, kafka-broker. `python -m eventing.environments.releases` writes it from the folder."
  type = map(object({
    version = string
    files   = map(string)
  }))
  nullable = false

  validation {
    condition = length(setsubtract(keys(var.releases), [
      "cert-manager", "strimzi", "keda", "external-secrets", "serving", "ingress", "eventing", "kafka-broker",
    ])) == 0
    error_message = "Known releases: cert-manager, strimzi, keda, external-secrets, serving, ingress, eventing, kafka-broker."
  }

  validation {
    condition = alltrue([
      for release in values(var.releases) : can(regex("^v?[0-9]+\\.[0-9]+\\.[0-9]+([-+][0-9A-Za-z.-]+)?$", release.version))
    ])
    error_message = "A release's version is exact: 1.23.0, no range, no latest."
  }

  validation {
    condition     = !contains(keys(var.releases), "kafka-broker") || contains(keys(var.releases), "eventing")
    error_message = "The Kafka broker needs the release eventing of the same minor version."
  }

  validation {
    condition     = contains(keys(var.releases), "serving") == contains(keys(var.releases), "ingress")
    error_message = "Serving needs a network layer: give the release ingress (Kourier) with it, and neither alone."
  }
}

variable "serving_config" {
  description = "Serving's ConfigMaps: config-autoscaler, config-features, config-domain, …"
  type        = map(map(string))
  # Contexts that the functions' manifests use, Kourier as the ingress, and the figures of the
  # alerts: Serving measures requests only when it is told where to.
  default = {
    config-network       = { ingress-class = "kourier.ingress.networking.knative.dev" }
    config-features      = { "kubernetes.podspec-securitycontext" = "enabled" }
    config-observability = { request-metrics-protocol = "prometheus" }
  }
}

variable "eventing_config" {
  description = "Eventing's ConfigMaps: config-features, config-observability, …"
  type        = map(map(string))
  # Without it, the webhook refuses the event policies of the overlays.
  default = {
    config-features = { authentication-oidc = "enabled" }
  }
}

variable "kafka_broker_config" {
  description = "The Kafka broker's ConfigMaps: config-kafka-features, config-kafka-broker-data-plane, … Null lets KEDA scale it where KEDA is installed."
  type        = map(map(string))
  default     = null
}

variable "operator_role_arns" {
  description = "IAM role of operators that speak to AWS: external-secrets."
  type        = map(string)
  default     = {}
}

variable "images" {
  description = "Images that come from another place, such as a mirror: name without tag to name without tag."
  type        = map(string)
  default     = {}
}

variable "timeout" {
  description = "How long to wait until a release's workloads run: a Go duration."
  type        = string
  default     = "10m"
}
