variable "kubeconfig_path" {
  description = "Kubeconfig of the cluster; empty takes the platform's cluster, or ~/.kube/config without a platform."
  type        = string

  validation {
    condition     = try(fileexists(pathexpand(var.kubeconfig_path)), var.kubeconfig_path == "")
    error_message = "There is no kubeconfig at ${var.kubeconfig_path}: set kubeconfig_path (TF_VAR_kubeconfig_path) to the file that kubectl uses."
  }
}

variable "platform_state" {
  description = "Where the platform's state is: backend and its configuration, as terraform_remote_state takes them; null when its outputs are given as variables."
  type = object({
    backend = string
    config  = map(string)
  })
  default = null
}

variable "given" {
  description = "The platform's outputs as variables; an empty one leaves the word to the platform's state."
  type        = any
  default     = {}
}
