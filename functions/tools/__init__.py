"""Tools: each folder is one typed function; a `tool.requested` in, a `tool.completed` out."""
