"""A rollout's plan, traffic and moves, without I/O: for command line and function alike."""
