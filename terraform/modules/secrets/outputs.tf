output "arns" {
  description = "ARN of each secret; whoever may read the value asks Secrets Manager."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "kms_key_arn" {
  description = "Key of the secrets, for policies."
  value       = aws_kms_key.this.arn
}
