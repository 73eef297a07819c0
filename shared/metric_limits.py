"""Bounds of what is counted and shown: a scrape stays small, whatever the traffic."""

TASK_BUCKETS_S = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900)
"""Bounds of the durations that are counted; an objective of duration is one of them."""

METRIC_TENANTS_MAX = 500
"""Tenants with figures of their own at the ledger: nine series each."""
