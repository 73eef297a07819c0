variable "name" {
  description = "Prefix of every resource's name; 2 to 30 lower-case letters, digits, hyphens."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "Set name to 2-30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the functions."
  type        = string
  default     = "tollgate"
  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "Set namespace to a DNS label: lower-case letters, digits and hyphens, at most 63."
  }
}

variable "functions" {
  description = "Every function, with what it may do in AWS: `archive` and `workspace`, each \"read\" or \"write\"."
  type = map(object({
    archive   = optional(string)
    workspace = optional(string)
  }))
  default = {
    calculator  = {}
    costs       = { archive = "write" }
    deadletters = {}
    gateway     = {}
    ledger      = {}
    notify      = {}
    reader      = { workspace = "read" }
    researcher  = {}
    rollouts    = {}
    watchdog    = {}
  }
}

variable "network" {
  description = "Address range, number of zones, NAT gateways (0, 1 or one per zone), days of flow logs."
  type = object({
    cidr          = optional(string, "10.40.0.0/16")
    zone_count    = optional(number, 2)
    nat_gateways  = optional(number, 1)
    flow_log_days = optional(number, 0)
  })
  default = {}
  validation {
    condition     = contains([2, 3], var.network.zone_count)
    error_message = "Set network.zone_count to 2 or 3."
  }
}

variable "cluster" {
  description = "Kubernetes' version, who reaches its API from outside, its nodes, EKS add-ons by name and version."
  type = object({
    version             = optional(string, "1.33")
    public_access_cidrs = optional(list(string), [])
    log_days            = optional(number, 30)
    addons              = optional(map(string), { aws-ebs-csi-driver = null })
    nodes = optional(object({
      instance_types = optional(list(string), ["m7i.large"])
      capacity_type  = optional(string, "ON_DEMAND")
      min            = optional(number, 2)
      desired        = optional(number, 2)
      max            = optional(number, 4)
      disk_gib       = optional(number, 50)
    }), {})
  })
  default = {}
}

variable "redis" {
  description = "Mode `in-cluster` or `managed`; for the latter node type, replicas, days of snapshots."
  type = object({
    mode          = optional(string, "in-cluster")
    node_type     = optional(string, "cache.r7g.large")
    replicas      = optional(number, 1)
    snapshot_days = optional(number, 7)
    token_version = optional(number, 1)
  })
  default = {}
}

variable "kafka" {
  description = "Mode `in-cluster` or `managed`; for the latter version and brokers."
  type = object({
    mode             = optional(string, "in-cluster")
    version          = optional(string, "3.8.x")
    instance_type    = optional(string, "kafka.m7g.large")
    disk_gib         = optional(number, 100)
    password_version = optional(number, 1)
  })
  default = {}
}

variable "storage" {
  description = "Ages of archived events in days, and how long replaced objects can be brought back."
  type = object({
    archive = optional(object({
      infrequent_days = optional(number, 30)
      glacier_days    = optional(number, 180)
      expire_days     = optional(number, 0)
    }), {})
    noncurrent_days = optional(number, 30)
  })
  default = {}
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
  description = "Values of `api-keys` and `model-providers` whose number is not 0. Ephemeral: never in plan or state."
  type        = map(string)
  default     = {}
  sensitive   = true
  ephemeral   = true
}

variable "images_kept" {
  description = "Images kept per function: how far a rollback reaches."
  type        = number
  default     = 30
}

variable "protected" {
  description = "Whether destroy keeps what holds data: non-empty buckets and repositories, secrets for 7 days."
  type        = bool
  default     = true
}
