variable "overlay" {
  description = "The overlay to apply, as a path relative to the working directory: a folder of knative/overlays."
  type        = string
}

variable "namespace" {
  description = "The namespace to apply to, which messaging made; null keeps the overlay's."
  type        = string
  default     = null
}

variable "registry" {
  description = "What stands before a function's name in its image; null keeps what the overlay has there."
  type        = string
  default     = null
}

variable "image_tag" {
  description = "Tag of every function's image; null keeps the overlay's."
  type        = string
  default     = null
}

variable "images" {
  description = "Image of single functions: function name to full reference. Others keep what image_tag or the overlay says."
  type        = map(string)
  default     = {}
}

variable "settings" {
  description = "Values of the ConfigMap tollgate that differ from the overlay's: REDIS_URL, TOLLGATE_MODEL, …"
  type        = map(string)
  default     = {}
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

variable "ingress" {
  description = "Domain under which Knative Serving publishes Services: http://gateway.<namespace>.<domain>."
  type        = string
  default     = "svc.cluster.local"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", var.ingress))
    error_message = "The ingress is a domain alone: no scheme, no port, no path."
  }
}

variable "scheme" {
  description = "How the gateway is reached from outside: https once the domain has a certificate."
  type        = string
  default     = "http"
  nullable    = false

  validation {
    condition     = contains(["http", "https"], var.scheme)
    error_message = "The scheme is http or https."
  }
}

variable "timeout" {
  description = "How long to wait for a kind or a namespace that is not there: a Go duration."
  type        = string
  default     = "2m"
}
