"""Starts a command as a terminal does; what a shell's background job starts ignores Ctrl-C."""

import sys

_HEEDS_INTERRUPTS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def in_foreground(*command):
    """Return the command, an absolute path first, as one that SIGINT ends if it does not say else.

    Unlike a function given to `subprocess`, this is safe where other threads run.
    """
    return [sys.executable, "-c", _HEEDS_INTERRUPTS, *command]
