output "bootstrap_servers" {
  description = "Where the broker's data plane connects: host:port, separated by commas."
  value       = var.mode == "managed" ? local.cluster.bootstrap_brokers_sasl_scram : var.in_cluster_bootstrap
}

output "auth_secret_arn" {
  description = "Secret with username and password (SCRAM-SHA-512); empty in the cluster."
  value       = var.mode == "managed" ? one(values(aws_secretsmanager_secret.user)).arn : ""
}

output "key_arn" {
  description = "Key of that secret; empty in the cluster."
  value       = var.mode == "managed" ? one(values(aws_kms_key.this)).arn : ""
}
