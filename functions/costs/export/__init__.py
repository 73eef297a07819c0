"""What accounting takes away: FOCUS rows and invoices, made of events without I/O."""
