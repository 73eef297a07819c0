variable "directory" {
  description = "Folder that holds the release's manifests, relative to the working directory."
  type        = string
}

variable "files" {
  description = "The release's files and their SHA-256, in hex. `python -m eventing.environments.releases` writes them."
  type        = map(string)

  validation {
    condition     = length(var.files) > 0
    error_message = "A release has at least one file."
  }

  validation {
    condition     = alltrue([for file, sum in var.files : can(regex("^[0-9a-f]{64}$", sum))])
    error_message = "Each file is pinned by the 64 hex digits of its SHA-256."
  }

  validation {
    condition     = alltrue([for file in keys(var.files) : fileexists("${var.directory}/${file}")])
    error_message = "Missing in ${var.directory}: ${join(", ", [for file in keys(var.files) : file if !fileexists("${var.directory}/${file}")])}. Download the release's manifests there."
  }

  validation {
    condition = alltrue([
      for file, sum in var.files : try(filesha256("${var.directory}/${file}") == sum, true)
    ])
    error_message = "Not what was pinned, in ${var.directory}: ${join(", ", [for file, sum in var.files : file if try(filesha256("${var.directory}/${file}") != sum, false)])}. Download it anew; for another version, pin its checksum."
  }
}

variable "config" {
  description = "Values in the release's ConfigMaps: name of the ConfigMap to keys and values."
  type        = map(map(string))
  default     = {}
}

variable "role_arns" {
  description = "IAM role of the release's service accounts: name to ARN."
  type        = map(string)
  default     = {}
}

variable "images" {
  description = "Images that come from another place: name without tag to name without tag."
  type        = map(string)
  default     = {}
}

variable "timeout" {
  description = "How long to wait until its workloads run: a Go duration."
  type        = string
  default     = "10m"
}

variable "after" {
  description = "What must be there first: any value that is known once it is. Manifests are read without waiting for it, so that a plan is complete."
  type        = any
  default     = null
}
