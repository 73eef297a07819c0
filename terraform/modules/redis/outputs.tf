output "url" {
  description = "REDIS_URL when it holds no password, else empty."
  value       = var.mode == "managed" ? "" : "redis://redis.${var.namespace}.svc.cluster.local:6379/0"
}

output "url_secret_arn" {
  description = "Secret that holds REDIS_URL with its password; empty in the cluster."
  value       = var.mode == "managed" ? local.secret.arn : ""
}

output "key_arn" {
  description = "Key of that secret; empty in the cluster."
  value       = var.mode == "managed" ? one(values(aws_kms_key.this)).arn : ""
}
