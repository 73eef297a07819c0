variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "functions" {
  description = "Functions that have an image; each gets a repository of its own."
  type        = set(string)
  validation {
    condition     = length(var.functions) > 0 && alltrue([for f in var.functions : can(regex("^[a-z][a-z0-9-]*$", f))])
    error_message = "Name at least one function, in lower-case letters, digits and hyphens."
  }
}

variable "images_kept" {
  description = "Tagged images kept per function, oldest removed first: how far a rollback reaches."
  type        = number
  default     = 30
  validation {
    condition     = var.images_kept >= 5 && var.images_kept <= 1000
    error_message = "Keep between 5 and 1000 images; fewer would take away revisions to roll back to."
  }
}

variable "force_delete" {
  description = "Whether destroy removes repositories that still hold images."
  type        = bool
  default     = false
}
