output "name" {
  description = "The environment's name, prefix of everything in it."
  value       = var.name
}

output "region" {
  description = "AWS region of everything."
  value       = data.aws_region.current.name
}

output "namespace" {
  description = "Kubernetes namespace of the functions."
  value       = var.namespace
}

output "cluster_name" {
  description = "Name of the EKS cluster."
  value       = module.cluster.name
}

output "cluster_endpoint" {
  description = "Address of the Kubernetes API."
  value       = module.cluster.endpoint
}

output "cluster_ca_data" {
  description = "Certificate authority of the Kubernetes API, base64."
  value       = module.cluster.ca_data
}

output "kubeconfig_command" {
  description = "Command that lets kubectl reach the cluster."
  value       = "aws eks update-kubeconfig --region ${data.aws_region.current.name} --name ${module.cluster.name}"
}

output "oidc_provider_arn" {
  description = "Who vouches for service accounts."
  value       = module.cluster.oidc_provider_arn
}

output "registry" {
  description = "Prefix of images: `<registry>/<function>:<tag>`."
  value       = module.images.registry
}

output "redis_url" {
  description = "REDIS_URL of a Redis in the cluster; empty when it is managed, see redis_url_secret."
  value       = module.redis.url
}

output "redis_url_secret" {
  description = "Secret that holds REDIS_URL of a managed Redis; empty in the cluster."
  value       = module.redis.url_secret_arn
}

output "kafka_bootstrap_servers" {
  description = "Kafka's bootstrap servers, separated by commas."
  value       = module.kafka.bootstrap_servers
}

output "kafka_auth_secret" {
  description = "Secret with user and password of a managed Kafka; empty in the cluster."
  value       = module.kafka.auth_secret_arn
}

output "archive_bucket" {
  description = "Bucket of archived attribution events."
  value       = module.storage.archive_bucket
}

output "workspace_bucket" {
  description = "Bucket of documents that tools read."
  value       = module.storage.workspace_bucket
}

output "function_role_arns" {
  description = "AWS role of each function."
  value       = module.identity.function_role_arns
}

output "operator_role_arns" {
  description = "AWS roles of external-secrets and ebs-csi."
  value       = module.identity.operator_role_arns
}

output "secret_arns" {
  description = "Secrets in Secrets Manager by name."
  value       = local.secret_arns
}
