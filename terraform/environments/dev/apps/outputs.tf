output "urls" {
  description = "Where people and programs reach the environment."
  value       = module.apps.urls
}

output "functions" {
  description = "Names of the functions that run."
  value       = module.apps.functions
}

output "dashboards" {
  description = "Dashboards: title to address."
  value       = try(module.observability[0].dashboards, {})
}

output "budgets" {
  description = "How many budgets each tenant has."
  value       = try(module.budgets[0].tenants, {})
}
