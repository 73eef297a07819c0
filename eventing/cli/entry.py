"""Entry point of `tollgate`: imports nothing slow, so that Ctrl-C is quiet from the beginning."""

import os
import signal

INTERRUPTED = 130
"""As `Exit.INTERRUPTED`."""


def run() -> None:
    """Run the command of `sys.argv` and exit with its code."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else the shell wants it ignored
        # Nothing has begun, so nothing is to be cleaned up.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from eventing.cli import main  # takes 0.1 s

    signal.signal(signal.SIGINT, before)
    main.run()
