output "tenants" {
  description = "How many budgets each tenant has."
  value       = { for name, tenant in local.tenants : name => length(try(tenant.budgets, [])) }
}

output "yaml" {
  description = "The file as the ledger reads it."
  value       = yamlencode(var.budgets)
}
