"""Reads the files that users name, or arguments may name, and says where a fault is in one."""

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def naming(file: Path, **options: str) -> Iterator[None]:
    """Say of a refused request what it is about: the option that its field came from, or the file.

    Raises:
        Failure: whatever failed inside.
    """
    try:
        yield
    except Failure as failure:
        if failure.code is not Exit.USAGE:
            raise
        field, _, rest = failure.what.partition(": ")
        what, where = (rest, options[field]) if field in options else (failure.what, str(file))
        raise Failure(failure.code, what, where=where, do=failure.do) from failure
