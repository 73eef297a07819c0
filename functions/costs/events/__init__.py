"""What one of the ledger's events says, and how it is kept; without I/O."""
