"""The public door: requests and CloudEvents from outside come in, tasks and their outcomes go out."""
