variable "bucket" {
  description = "Name of the bucket that keeps the states of environments; unique in all of AWS."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "Set bucket to 3-63 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "AWS region of the bucket."
  type        = string
  default     = "eu-central-1"
}

variable "s3_use_path_style" {
  description = "Buckets in the path instead of the host name, for a stand-in of AWS at AWS_ENDPOINT_URL."
  type        = bool
  default     = false
}
