variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "mode" {
  description = "`in-cluster`: the manifests' own Redis, nothing is made here. `managed`: ElastiCache."
  type        = string
  validation {
    condition     = contains(["in-cluster", "managed"], var.mode)
    error_message = "Set mode to in-cluster or managed."
  }
}

variable "namespace" {
  description = "Namespace of the Redis in the cluster."
  type        = string
  default     = "tollgate"
}

variable "vpc_id" {
  description = "Network of the managed service."
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "Private subnets, one per zone."
  type        = list(string)
  default     = []
}

variable "client_security_group_id" {
  description = "Who may connect: the group of the cluster's nodes."
  type        = string
  default     = ""
}

variable "node_type" {
  description = "ElastiCache's node type; memory is what open tasks and accounts need, see the operations guide."
  type        = string
  default     = "cache.r7g.large"
  validation {
    condition     = startswith(var.node_type, "cache.")
    error_message = "Set node_type to one of ElastiCache's, such as cache.r7g.large."
  }
}

variable "replicas" {
  description = "Copies besides the primary, each in another zone; at least one, or a lost zone loses money's books."
  type        = number
  default     = 1
  validation {
    condition     = var.replicas >= 1 && var.replicas <= 5
    error_message = "Set replicas between 1 and 5."
  }
}

variable "snapshot_days" {
  description = "Days that daily snapshots are kept."
  type        = number
  default     = 7
  validation {
    condition     = var.snapshot_days >= 1 && var.snapshot_days <= 35
    error_message = "Set snapshot_days between 1 and 35: without snapshots there is nothing to restore."
  }
}

variable "token_version" {
  description = "A higher number makes a new password and gives it to Redis; the old one works until the next."
  type        = number
  default     = 1
  validation {
    condition     = var.token_version >= 1 && floor(var.token_version) == var.token_version
    error_message = "Count token_version 1, 2, 3 and so on."
  }
}

variable "recovery_days" {
  description = "Days that the deleted secret can be brought back; 0 deletes it at once."
  type        = number
  default     = 7
}
