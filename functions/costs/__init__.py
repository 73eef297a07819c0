"""Costs: stores the ledger's events exactly once; sums, timelines and a page go out.

Every figure can be computed again from the events themselves, which are kept (`events/packing.py`).

A package imports only those after it: pages, routes, trust, export, store, archive, sums, events,
questions. All may import `keys`, `settings` and `turns`; `host` puts them together.
"""
