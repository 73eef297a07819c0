"""Compares: numbers with their sequence, sums with the ledger, events with invoices."""
