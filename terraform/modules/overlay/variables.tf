variable "path" {
  description = "The overlay to apply, as a path relative to the working directory: a folder of knative/overlays."
  type        = string

  validation {
    condition     = fileexists("${var.path}/kustomization.yaml")
    error_message = "There is no kustomization.yaml in ${var.path}: name a folder of knative/overlays."
  }
}

variable "layer" {
  description = "Which part of the overlay to apply: messaging (what events need), apps (the functions) or observability (monitors and rules)."
  type        = string

  validation {
    condition     = contains(["messaging", "apps", "observability"], var.layer)
    error_message = "A layer is messaging, apps or observability."
  }
}

variable "namespace" {
  description = "The namespace to apply to; null keeps the overlay's. Addresses inside the manifests follow."
  type        = string
  default     = null

  validation {
    condition     = var.namespace == null || can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace has 1 to 63 lower-case letters, digits and hyphens, and starts and ends with no hyphen."
  }
}

variable "images" {
  description = "Image of single functions: function name to full reference. Others keep what registry, image_tag or the overlay says."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for image in values(var.images) : can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})$", image))
    ])
    error_message = "Every image needs a tag or a digest: name:tag or name@sha256:<64 hex digits>."
  }

  validation {
    condition     = alltrue([for image in values(var.images) : !endswith(image, ":latest")])
    error_message = "The tag latest names no version: nobody could say what runs, or go back to it."
  }
}

variable "registry" {
  description = "What stands before a function's name in its image; null keeps what the overlay has there."
  type        = string
  default     = null

  validation {
    condition     = try(!endswith(var.registry, "/") && length(var.registry) > 0, true)
    error_message = "A registry is given without the slash at its end."
  }
}

variable "image_tag" {
  description = "Tag of every function's image; null keeps the overlay's."
  type        = string
  default     = null

  validation {
    condition     = var.image_tag == null || can(regex("^[A-Za-z0-9_][-.A-Za-z0-9_]{0,127}$", var.image_tag))
    error_message = "An image tag has 1 to 128 letters, digits, dots, hyphens and underscores, and starts with a letter, digit or underscore."
  }

  validation {
    condition     = var.image_tag != "latest"
    error_message = "The tag latest names no version: nobody could say what runs, or go back to it."
  }
}

variable "settings" {
  description = "Values of the ConfigMap tollgate that differ from the overlay's: TOLLGATE_MODEL, LOG_LEVEL, … Never a secret: functions' annotations repeat them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", key))])
    error_message = "A setting is named like an environment variable: capitals, digits and underscores."
  }
}

variable "bootstrap_servers" {
  description = "Kafka's bootstrap servers for the Broker; null keeps the overlay's."
  type        = string
  default     = null

  validation {
    condition     = var.bootstrap_servers == null || can(regex("^[^\\s,:]+:[0-9]+(,[^\\s,:]+:[0-9]+)*$", var.bootstrap_servers))
    error_message = "Bootstrap servers are host:port, separated by commas without blanks."
  }
}

variable "wait" {
  description = "Wait until Deployments and StatefulSets run."
  type        = bool
  default     = false
}

variable "timeout" {
  description = "How long to wait for a kind or a namespace that is not there, and for workloads: a Go duration."
  type        = string
  default     = "2m"
}

variable "role_arns" {
  description = "IAM role of single functions: function name to ARN. Each gets a service account of its own."
  type        = map(string)
  default     = {}
}

variable "after" {
  description = "What must be there first: any value that is known once it is. Manifests are read without waiting for it, so that a plan is complete."
  type        = any
  default     = null
}
