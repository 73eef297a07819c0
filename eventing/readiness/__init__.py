"""Whether an environment is ready for production: checks with evidence, none self-certified."""
