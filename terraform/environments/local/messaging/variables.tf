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

variable "wait" {
  description = "Wait until Redis is ready."
  type        = bool
  default     = true
}
