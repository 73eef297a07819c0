"""A function for tests of the runtime that fails at import."""

raise RuntimeError("this function cannot be imported")
