"""Keeps what could not be delivered, with its cause; resolves who waits for it; redrives it."""
