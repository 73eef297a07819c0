variable "kubeconfig" {
  description = "Path to the kubeconfig of the cluster."
  type        = string
  default     = "~/.kube/config"
  nullable    = false

  validation {
    condition     = fileexists(pathexpand(var.kubeconfig))
    error_message = "There is no kubeconfig at ${var.kubeconfig}: set kubeconfig (TF_VAR_kubeconfig) to the file that kubectl uses."
  }
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
