"""Reads what users name: files, and arguments that may name one."""

from pathlib import Path

from eventing.cli.exits import Exit, Failure


def text_of(file: Path) -> str:
    """Return a file's text.

    Raises:
        Failure: it cannot be read, or is no text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(Exit.USAGE, f"cannot be read: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise Failure(Exit.USAGE, "is no text in UTF-8", where=str(file)) from error


def text_given(argument: str) -> str:
    """Return the argument, or the contents of the file that `@file` names.

    Raises:
        Failure: the file cannot be read.
    """
    return text_of(Path(argument[1:])) if argument.startswith("@") else argument
