variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "oidc_provider_arn" {
  description = "Who vouches for the cluster's service accounts."
  type        = string
}

variable "oidc_issuer" {
  description = "The issuer's host and path, without a scheme."
  type        = string
  validation {
    condition     = !startswith(var.oidc_issuer, "https://")
    error_message = "Give oidc_issuer without https:// (it is the prefix of condition keys)."
  }
}

variable "namespace" {
  description = "Namespace of the functions; only service accounts in it may take their roles."
  type        = string
  default     = "tollgate"
}

variable "buckets" {
  description = "ARNs of the buckets that functions have rights on, by kind."
  type        = map(string)
  default     = {}
}

variable "functions" {
  description = "What each function may do in AWS, by name: kind of bucket to \"read\" or \"write\". One without has a role that allows nothing."
  type        = map(map(string))
  validation {
    condition     = alltrue(flatten([for rights in values(var.functions) : [for right in values(rights) : contains(["read", "write"], right)]]))
    error_message = "A function's right on a bucket is \"read\" or \"write\"."
  }
  validation {
    condition     = alltrue(flatten([for rights in values(var.functions) : [for kind in keys(rights) : contains(keys(var.buckets), kind)]]))
    error_message = "Functions have rights on the kinds of buckets that `buckets` names."
  }
}

variable "bucket_key_arn" {
  description = "Key that the buckets are encrypted with."
  type        = string
}

variable "secret_arns" {
  description = "Secrets that the external-secrets operator may copy into the cluster."
  type        = list(string)
  default     = []
}

variable "secret_key_arns" {
  description = "Keys that these secrets are encrypted with."
  type        = list(string)
  default     = []
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds every role made here, if the organisation demands one."
  type        = string
  default     = null
}
