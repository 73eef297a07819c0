"""Compares a new revision with the present one: attribution and task ends in, traffic out."""
