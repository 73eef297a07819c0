output "registry" {
  description = "Prefix of every image: an image is `<registry>/<function>:<tag>`."
  value       = dirname(values(aws_ecr_repository.this)[0].repository_url)
}

output "repository_urls" {
  description = "Repository of each function."
  value       = { for function, repository in aws_ecr_repository.this : function => repository.repository_url }
}
