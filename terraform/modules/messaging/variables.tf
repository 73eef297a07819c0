variable "overlay" {
  description = "The overlay to apply, as a path relative to the working directory: a folder of knative/overlays."
  type        = string
}

variable "namespace" {
  description = "The namespace to make; null keeps the overlay's."
  type        = string
  default     = null
}

variable "bootstrap_servers" {
  description = "Kafka's bootstrap servers; null keeps the overlay's."
  type        = string
  default     = null
}

variable "role_arns" {
  description = "IAM role of single functions: function name to ARN. Each gets a service account of its own."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for arn in values(var.role_arns) : can(regex("^arn:[^:]+:iam::[0-9]{12}:role/.+$", arn))
    ])
    error_message = "A role is given as its ARN: arn:aws:iam::<account>:role/<name>."
  }
}

variable "secrets" {
  description = "Where the namespace's Secrets come from; null when they are made outside, by `tollgate secrets make`. Otherwise External Secrets copies them from AWS Secrets Manager of region: grant-key, api-keys and, where there are such, model-providers, redis-url, kafka, by ARN."
  type = object({
    region = string
    arns   = map(string)
  })
  default = null

  validation {
    condition     = alltrue([for name in ["grant-key", "api-keys"] : try(contains(keys(var.secrets.arns), name), true)])
    error_message = "secrets.arns must have grant-key and api-keys: no function starts without them."
  }

  validation {
    condition = alltrue([
      for name in try(keys(var.secrets.arns), []) :
      contains(["grant-key", "api-keys", "model-providers", "redis-url", "kafka"], name)
    ])
    error_message = "Known in secrets.arns: grant-key, api-keys, model-providers, redis-url, kafka."
  }

  validation {
    condition     = alltrue([for arn in try(values(var.secrets.arns), []) : can(regex("^arn:[^:]+:secretsmanager:", arn))])
    error_message = "secrets.arns holds ARNs of Secrets Manager: arn:aws:secretsmanager:<region>:<account>:secret:<name>."
  }
}

variable "wait" {
  description = "Wait until Redis and others that run in the cluster are ready."
  type        = bool
  default     = true
}

variable "timeout" {
  description = "How long to wait for a kind that is not there, and for workloads: a Go duration."
  type        = string
  default     = "5m"
}

variable "after" {
  description = "What must be there first: any value that is known once it is. Manifests are read without waiting for it, so that a plan is complete."
  type        = any
  default     = null
}
