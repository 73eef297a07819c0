"""Alert rules evaluated by Prometheus's own promtool, over made-up series."""
