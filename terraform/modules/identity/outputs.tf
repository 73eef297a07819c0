output "function_role_arns" {
  description = "Role of each function, for its service account's annotation."
  value       = { for name in keys(var.functions) : name => aws_iam_role.this[name].arn }
}

output "operator_role_arns" {
  description = "Roles of the cluster's own operators: external-secrets, ebs-csi."
  value       = { for name in keys(local.operators) : name => aws_iam_role.this[name].arn }
}
