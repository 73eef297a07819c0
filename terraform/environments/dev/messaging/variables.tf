variable "kubeconfig_path" {
  description = "Kubeconfig of the cluster; empty takes the platform's cluster, or ~/.kube/config without a platform."
  type        = string
  default     = ""
  nullable    = false
}

variable "kube_context" {
  description = "Context in the kubeconfig; null takes its current one."
  type        = string
  default     = null
}

variable "platform_state" {
  description = "Where the platform's state is, as terraform_remote_state takes it: backend and config. `make` gives the platform's outputs as variables instead."
  type        = object({ backend = string, config = map(string) })
  default     = null
}

variable "namespace" {
  description = "The namespace of the functions; null keeps the overlay's."
  type        = string
  default     = null
}

variable "cluster_name" {
  description = "Platform output: name of the EKS cluster."
  type        = string
  default     = ""
}

variable "cluster_endpoint" {
  description = "Platform output: address of the Kubernetes API."
  type        = string
  default     = ""
}

variable "cluster_ca_data" {
  description = "Platform output: certificate authority of the Kubernetes API, base64."
  type        = string
  default     = ""
}

variable "region" {
  description = "Platform output: AWS region."
  type        = string
  default     = ""
}

variable "kafka_bootstrap_servers" {
  description = "Platform output: Kafka's bootstrap servers."
  type        = string
  default     = ""
}

variable "kafka_auth_secret" {
  description = "Platform output: secret with a managed Kafka's user; empty when Kafka is in the cluster."
  type        = string
  default     = ""
}

variable "secret_arns" {
  description = "Platform output: secrets in Secrets Manager by name; empty when `tollgate secrets make` makes them."
  type        = map(string)
  default     = {}
}

variable "function_role_arns" {
  description = "Platform output: AWS role of each function."
  type        = map(string)
  default     = {}
}

variable "operator_role_arns" {
  description = "Platform output: AWS roles of operators in the cluster."
  type        = map(string)
  default     = {}
}

variable "releases" {
  description = "Knative and other operators to install: see modules/knative. Empty when the cluster has them."
  type        = map(object({ version = string, files = map(string) }))
  default     = {}
}

variable "releases_directory" {
  description = "Folder of the releases' manifests, relative to this one."
  type        = string
  default     = "releases"
}

variable "release_images" {
  description = "Images of releases that come from a mirror: name to name."
  type        = map(string)
  default     = {}
}
