"""From the objectives in `agent.yaml` to burn-rate alerts, and to Grafana's dashboards."""
