variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "archive" {
  description = "Days after which archived events move to infrequent access, to instant Glacier, and go; 0 never."
  type = object({
    infrequent_days = optional(number, 30)
    glacier_days    = optional(number, 180)
    expire_days     = optional(number, 0)
  })
  default = {}
  validation {
    condition     = var.archive.infrequent_days >= 30 && var.archive.glacier_days >= var.archive.infrequent_days + 30
    error_message = "S3 needs archive.infrequent_days >= 30 and archive.glacier_days at least 30 later."
  }
  validation {
    condition     = var.archive.expire_days == 0 || var.archive.expire_days > var.archive.glacier_days
    error_message = "Set archive.expire_days to 0 (never) or beyond archive.glacier_days."
  }
}

variable "noncurrent_days" {
  description = "Days that a replaced or deleted object can be brought back."
  type        = number
  default     = 30
  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 365
    error_message = "Set noncurrent_days between 1 and 365."
  }
}

variable "force_destroy" {
  description = "Whether destroy removes buckets that still hold objects."
  type        = bool
  default     = false
}
