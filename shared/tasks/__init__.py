"""Tasks: what is asked, the state it is in, and the one store that changes it."""
