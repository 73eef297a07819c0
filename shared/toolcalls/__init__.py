"""Keeps what every tool call came to: at most one run per idempotency key, one stored outcome."""
