"""Figures of `make bench`: measured in one run, written to bench.json."""
