output "versions" {
  description = "What is installed: name to version."
  value       = { for name, release in var.releases : name => release.version }

  depends_on = [module.kafka_broker]
}
