"""FOCUS 1.2: the columns of its cost and usage data set, and whether a file keeps its rules."""
