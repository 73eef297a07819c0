"""The ledger's events and the ends of tasks, exactly once each, and what is read of them."""
