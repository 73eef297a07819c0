variable "name" {
  description = "Name of the cluster and prefix of what belongs to it."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "kubernetes_version" {
  description = "Kubernetes' minor version; Knative 1.17 and later need 1.30 or newer."
  type        = string
  default     = "1.33"
  validation {
    condition     = can(regex("^1\\.(3[0-9])$", var.kubernetes_version))
    error_message = "Set kubernetes_version to a minor version that EKS and Knative support, such as 1.33."
  }
}

variable "subnet_ids" {
  description = "Private subnets in at least two zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "EKS needs subnets in at least two availability zones."
  }
}

variable "public_access_cidrs" {
  description = "Who may reach the API server from outside; empty: only the network itself."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrhost(cidr, 0))])
    error_message = "List IPv4 ranges such as 203.0.113.0/24 in public_access_cidrs."
  }
}

variable "nodes" {
  description = "The managed node group: instance types, how many nodes, disk in GiB, ON_DEMAND or SPOT."
  type = object({
    instance_types = optional(list(string), ["m7i.large"])
    capacity_type  = optional(string, "ON_DEMAND")
    min            = optional(number, 2)
    desired        = optional(number, 2)
    max            = optional(number, 4)
    disk_gib       = optional(number, 50)
  })
  default = {}
  validation {
    condition     = contains(["ON_DEMAND", "SPOT"], var.nodes.capacity_type)
    error_message = "Set nodes.capacity_type to ON_DEMAND or SPOT."
  }
  validation {
    condition = (1 <= var.nodes.min && var.nodes.min <= var.nodes.desired
    && var.nodes.desired <= var.nodes.max && var.nodes.max <= 100)
    error_message = "Set nodes so that 1 <= min <= desired <= max <= 100."
  }
  validation {
    condition     = var.nodes.disk_gib >= 20 && var.nodes.disk_gib <= 1000
    error_message = "Set nodes.disk_gib between 20 and 1000."
  }
}

variable "addons" {
  description = "EKS add-ons by name with the role each one assumes, null for none."
  type        = map(object({ role_arn = optional(string), version = optional(string) }))
  default     = {}
}

variable "log_days" {
  description = "Days that the control plane's logs are kept."
  type        = number
  default     = 30
  validation {
    condition     = contains([7, 14, 30, 90, 180, 365], var.log_days)
    error_message = "CloudWatch keeps logs 7, 14, 30, 90, 180 or 365 days."
  }
}
