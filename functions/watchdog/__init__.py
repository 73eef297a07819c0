"""Finds tasks without progress; publishes again what they wait for, or ends them."""
