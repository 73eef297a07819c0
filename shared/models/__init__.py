"""Calls models: a `ModelRequest` and a `Permit` in, a `ModelReply` with its usage out."""
