"""What can be asked of costs, and how it is answered: dimensions, spans, sums; without I/O."""
