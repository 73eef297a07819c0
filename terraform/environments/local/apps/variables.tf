variable "kubeconfig_path" {
  description = "Kubeconfig of the cluster; empty takes ~/.kube/config."
  type        = string
  default     = ""
  nullable    = false
}

variable "kube_context" {
  description = "Context in the kubeconfig; null takes its current one."
  type        = string
  default     = null
}

variable "overlay" {
  description = "Folder of knative/overlays that is applied."
  type        = string
  default     = "cluster-test"
  nullable    = false
}

variable "namespace" {
  description = "The namespace to apply to; null keeps the overlay's."
  type        = string
  default     = null
}

variable "registry" {
  description = "What stands before a function's name in its image; null keeps what the overlay has there."
  type        = string
  default     = null
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
  description = "Values of the ConfigMap tollgate that differ from the overlay's: REDIS_URL, TOLLGATE_MODEL, …"
  type        = map(string)
  default     = {}
}

variable "ingress" {
  description = "Domain under which Knative Serving publishes Services."
  type        = string
  default     = "knative.test"
}

variable "budgets_file" {
  description = "File of docs/budgets.md, relative to this folder; null leaves budgets to `tollgate budget apply`."
  type        = string
  default     = null
}
