output "dashboards" {
  description = "Dashboards: title to address, or to the identifier where no Grafana is given."
  value = {
    for board in local.boards : board.title =>
    var.grafana_url == null ? board.uid : "${var.grafana_url}/d/${board.uid}"
  }
}

output "ids" {
  description = "What is applied: group/kind/namespace/name."
  value       = module.overlay.ids
}
