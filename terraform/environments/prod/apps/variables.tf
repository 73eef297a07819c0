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

variable "registry" {
  description = "Platform output: what stands before a function's name in its image."
  type        = string
  default     = ""
}

variable "archive_bucket" {
  description = "Platform output: bucket into which costs archives old events."
  type        = string
  default     = ""
}

variable "function_role_arns" {
  description = "Platform output: AWS role of each function."
  type        = map(string)
  default     = {}
}

variable "image_tag" {
  description = "Tag of every function's image; null keeps the overlay's."
  type        = string
  default     = null
}

variable "images" {
  description = "Image of single functions: function name to full reference."
  type        = map(string)
  default     = {}
}

variable "settings" {
  description = "Values of the ConfigMap tollgate that differ from the overlay's. Never a secret."
  type        = map(string)
  default     = {}
}

variable "ingress" {
  description = "Domain under which Knative Serving publishes Services."
  type        = string
  default     = "svc.cluster.local"
}

variable "scheme" {
  description = "How the gateway is reached: https once the domain has a certificate."
  type        = string
  default     = "http"
}

variable "budgets_file" {
  description = "File of docs/budgets.md, relative to this folder; null leaves budgets to `tollgate budget apply`."
  type        = string
  default     = "budgets.yaml"
}

variable "observability" {
  description = "Apply monitors, alerts and dashboards; needs the Prometheus operator's kinds in the cluster."
  type        = bool
  default     = true
}

variable "grafana_url" {
  description = "Where Grafana is, for the dashboards' addresses; null when there is none."
  type        = string
  default     = null
}
