"""Notify: a webhook's address and a message in, the receiver's status out."""
