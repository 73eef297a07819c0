"""The command line `tollgate`: starts the runtime, speaks HTTP to the functions, shows answers."""
