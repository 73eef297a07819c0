variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "generated" {
  description = "Secrets that Terraform makes up, with a number: a higher one makes a new value."
  type        = map(number)
  default     = {}
  validation {
    condition     = alltrue([for version in values(var.generated) : version >= 1 && floor(version) == version])
    error_message = "Number each version of a generated secret 1, 2, 3 and so on."
  }
}

variable "given" {
  description = "Secrets whose value people give, with the number of the value in `values`; 0: put by hand."
  type        = map(number)
  default     = {}
  validation {
    condition     = alltrue([for version in values(var.given) : version >= 0 && floor(version) == version])
    error_message = "Number each version of a given secret 1, 2, 3 and so on, or 0 if its value is put by hand."
  }
  validation {
    condition     = length(setintersection(keys(var.given), keys(var.generated))) == 0
    error_message = "Name a secret in given or in generated, not in both."
  }
}

variable "values" {
  description = "Values of the given secrets whose number is not 0. Ephemeral: neither in a plan nor in the state."
  type        = map(string)
  default     = {}
  sensitive   = true
  ephemeral   = true
}

variable "recovery_days" {
  description = "Days that a deleted secret can be brought back; 0 deletes it at once."
  type        = number
  default     = 7
  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "Set recovery_days to 0, or between 7 and 30."
  }
}
