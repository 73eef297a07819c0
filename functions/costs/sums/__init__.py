"""Answers questions from sums that are kept by hour, day, month and task: no event is read."""
