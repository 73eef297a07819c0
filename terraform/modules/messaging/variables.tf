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
  description = "Where the namespace's Secrets come from; null when they are made outside, by `tollgate secrets`. Otherwise External Secrets copies them from AWS Secrets Manager: store is read with role_arn in region; names maps a Secret to the secret there and the key that it fills."
  type = object({
    region   = string
    role_arn = string
    names    = map(object({ secret = string, key = string }))
  })
  default = null

  validation {
    condition     = try(length(regexall("^arn:[^:]+:iam::[0-9]{12}:role/.+$", var.secrets.role_arn)) == 1, true)
    error_message = "secrets.role_arn is the ARN of an IAM role: arn:aws:iam::<account>:role/<name>."
  }

  validation {
    condition = alltrue([
      for name in ["tollgate-grant-key", "tollgate-api-keys"] :
      try(contains(keys(var.secrets.names), name), true)
    ])
    error_message = "secrets.names must have tollgate-grant-key and tollgate-api-keys: no function starts without them."
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
