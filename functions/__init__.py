"""What runs: one folder per deployable function."""
