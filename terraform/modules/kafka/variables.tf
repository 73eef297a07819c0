variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "mode" {
  description = "`in-cluster`: Strimzi's brokers, nothing is made here. `managed`: Amazon MSK."
  type        = string
  validation {
    condition     = contains(["in-cluster", "managed"], var.mode)
    error_message = "Set mode to in-cluster or managed."
  }
}

variable "in_cluster_bootstrap" {
  description = "Bootstrap servers in the cluster: Strimzi's Service of the Kafka named kafka-cluster."
  type        = string
  default     = "kafka-cluster-kafka-bootstrap.kafka:9092"
  validation {
    condition     = can(regex("^[^:,]+:[0-9]+(,[^:,]+:[0-9]+)*$", var.in_cluster_bootstrap))
    error_message = "Give bootstrap servers as host:port, separated by commas."
  }
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

variable "kafka_version" {
  description = "Kafka's version in MSK."
  type        = string
  default     = "3.8.x"
}

variable "broker" {
  description = "Type of each of the brokers (one per zone) and its disk in GiB."
  type = object({
    instance_type = optional(string, "kafka.m7g.large")
    disk_gib      = optional(number, 100)
  })
  default = {}
  validation {
    condition     = startswith(var.broker.instance_type, "kafka.")
    error_message = "Set broker.instance_type to one of MSK's, such as kafka.m7g.large."
  }
  validation {
    condition     = var.broker.disk_gib >= 10 && var.broker.disk_gib <= 16384
    error_message = "Set broker.disk_gib between 10 and 16384."
  }
}

variable "retention_hours" {
  description = "How long events are kept; at most 144 (6 days), or a late duplicate outlives the state that knows it."
  type        = number
  default     = 144
  validation {
    condition     = var.retention_hours >= 1 && var.retention_hours <= 144
    error_message = "Set retention_hours between 1 and 144: state that recognises duplicates lives 14 days."
  }
}

variable "password_version" {
  description = "A higher number makes a new password for the broker's user."
  type        = number
  default     = 1
}

variable "log_days" {
  description = "Days that the brokers' logs are kept."
  type        = number
  default     = 30
}

variable "recovery_days" {
  description = "Days that the deleted secret can be brought back; 0 deletes it at once."
  type        = number
  default     = 7
}
