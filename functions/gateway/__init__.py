"""The public door: requests and CloudEvents come in, tasks and their outcomes go out."""
