variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cidr" {
  description = "Address range of the network, /16 to /20."
  type        = string
  default     = "10.40.0.0/16"
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(regex("/(1[6-9]|20)$", var.cidr))
    error_message = "Set cidr to an IPv4 range between /16 and /20, for example 10.40.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones to use, two or three; EKS refuses fewer than two."
  type        = list(string)
  validation {
    condition     = contains([2, 3], length(distinct(var.zones)))
    error_message = "Name two or three different availability zones of the region."
  }
}

variable "nat_gateways" {
  description = "NAT gateways: 0 none (nothing reaches model providers), 1 shared, or one per zone."
  type        = number
  default     = 1
  validation {
    condition     = contains([0, 1, length(var.zones)], var.nat_gateways)
    error_message = "Set nat_gateways to 0, to 1, or to the number of zones."
  }
}

variable "interface_endpoints" {
  description = "AWS services reached inside the network, without NAT; each costs per hour and zone."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "sts"]
}

variable "flow_log_days" {
  description = "Days that flow logs are kept in CloudWatch; 0 turns them off."
  type        = number
  default     = 0
  validation {
    condition     = contains([0, 7, 14, 30, 90, 180, 365], var.flow_log_days)
    error_message = "CloudWatch keeps logs 7, 14, 30, 90, 180 or 365 days; 0 turns flow logs off."
  }
}
