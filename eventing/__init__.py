"""How functions speak: CloudEvents, publishing, the embedded runtime, the command line."""
