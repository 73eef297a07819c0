variable "overlay" {
  description = "The overlay whose monitors, rules and dashboards are applied, as a path relative to the working directory: a folder of knative/overlays."
  type        = string
}

variable "namespace" {
  description = "The namespace of the functions, which messaging made; null keeps the overlay's."
  type        = string
  default     = null
}

variable "grafana_url" {
  description = "Where Grafana is, for the dashboards' addresses; null when there is none."
  type        = string
  default     = null

  validation {
    condition     = var.grafana_url == null || can(regex("^https?://[^/]+(/.*[^/])?$", var.grafana_url))
    error_message = "Grafana's address is http(s)://host, without a slash at its end."
  }
}

variable "timeout" {
  description = "How long to wait for the kinds of the Prometheus operator: a Go duration."
  type        = string
  default     = "2m"
}
