"""Reader: a path or an address in, text or a table's exact profile out."""
