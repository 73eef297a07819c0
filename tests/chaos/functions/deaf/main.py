"""An agent whose processes never start."""

raise SystemExit(3)
