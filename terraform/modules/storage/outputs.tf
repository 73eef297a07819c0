output "archive_bucket" {
  description = "Bucket of archived attribution events."
  value       = aws_s3_bucket.this["archive"].id
}

output "workspace_bucket" {
  description = "Bucket of documents that tools read."
  value       = aws_s3_bucket.this["workspace"].id
}

output "archive_bucket_arn" {
  description = "Its ARN, for policies."
  value       = aws_s3_bucket.this["archive"].arn
}

output "workspace_bucket_arn" {
  description = "Its ARN, for policies."
  value       = aws_s3_bucket.this["workspace"].arn
}

output "kms_key_arn" {
  description = "Key of both buckets, for policies."
  value       = aws_kms_key.this.arn
}
