output "name" {
  description = "The environment's name, prefix of everything in it."
  value       = module.platform.name
}

output "region" {
  description = "AWS region of everything."
  value       = module.platform.region
}

output "namespace" {
  description = "Kubernetes namespace of the functions."
  value       = module.platform.namespace
}

output "cluster_name" {
  description = "Name of the EKS cluster."
  value       = module.platform.cluster_name
}

output "cluster_endpoint" {
  description = "Address of the Kubernetes API."
  value       = module.platform.cluster_endpoint
}

output "cluster_ca_data" {
  description = "Certificate authority of the Kubernetes API, base64."
  value       = module.platform.cluster_ca_data
}

output "kubeconfig_command" {
  description = "Command that lets kubectl reach the cluster."
  value       = module.platform.kubeconfig_command
}

output "oidc_provider_arn" {
  description = "Who vouches for service accounts."
  value       = module.platform.oidc_provider_arn
}

output "registry" {
  description = "Prefix of images: `<registry>/<function>:<tag>`."
  value       = module.platform.registry
}

output "redis_url" {
  description = "REDIS_URL of a Redis in the cluster; empty when it is managed, see redis_url_secret."
  value       = module.platform.redis_url
}

output "redis_url_secret" {
  description = "Secret that holds REDIS_URL of a managed Redis; empty in the cluster."
  value       = module.platform.redis_url_secret
}

output "kafka_bootstrap_servers" {
  description = "Kafka's bootstrap servers, separated by commas."
  value       = module.platform.kafka_bootstrap_servers
}

output "kafka_auth_secret" {
  description = "Secret with user and password of a managed Kafka; empty in the cluster."
  value       = module.platform.kafka_auth_secret
}

output "archive_bucket" {
  description = "Bucket of archived attribution events."
  value       = module.platform.archive_bucket
}

output "workspace_bucket" {
  description = "Bucket of documents that tools read."
  value       = module.platform.workspace_bucket
}

output "function_role_arns" {
  description = "AWS role of each function."
  value       = module.platform.function_role_arns
}

output "operator_role_arns" {
  description = "AWS roles of external-secrets and ebs-csi."
  value       = module.platform.operator_role_arns
}

output "secret_arns" {
  description = "Secrets in Secrets Manager by name."
  value       = module.platform.secret_arns
}
