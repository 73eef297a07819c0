output "bucket" {
  description = "Where states are kept."
  value       = aws_s3_bucket.this.id
}
