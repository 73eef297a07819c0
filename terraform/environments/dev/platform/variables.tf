variable "name" {
  description = "Prefix of every resource's name."
  type        = string
  default     = "tollgate-dev"
}

variable "region" {
  description = "AWS region of the environment."
  type        = string
  default     = "eu-central-1"
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Set region to an AWS region's name, such as eu-central-1."
  }
}

variable "public_access_cidrs" {
  description = "Address ranges from which people and pipelines reach the Kubernetes API; empty: from the network only."
  type        = list(string)
  default     = []
}

variable "addons" {
  description = "EKS add-ons by name, with a version or null for the default one."
  type        = map(string)
  default     = { aws-ebs-csi-driver = null }
}

variable "secret_versions" {
  description = "Number of each secret's value; a higher one replaces it. 0: the value is put by hand."
  type = object({
    grant_key       = optional(number, 1)
    api_keys        = optional(number, 0)
    model_providers = optional(number, 0)
  })
  default = {}
}

variable "secret_values" {
  description = "Values of `api-keys` and `model-providers` whose number is not 0; by TF_VAR_secret_values, never in a file."
  type        = map(string)
  default     = {}
  sensitive   = true
  ephemeral   = true
}

variable "s3_use_path_style" {
  description = "Buckets in the path instead of the host name, for a stand-in of AWS at AWS_ENDPOINT_URL."
  type        = bool
  default     = false
}
