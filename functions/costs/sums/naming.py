"""Says how keys name days and places: a place is a task in a session under a root."""

import json

from functions.costs.questions.ranges import DAY_MS, day_of

DAY_DIGITS = 5
"""Of a day's number since 1970: enough until the year 2243, and times end before (`YEARS`)."""

_json = json.JSONEncoder(separators=(",", ":")).encode


def day_number(at_ms: int) -> str:
    """Return the days since 1970 as `DAY_DIGITS` digits."""
    return f"{at_ms // DAY_MS:0{DAY_DIGITS}d}"


def day_of_number(number: str) -> str:
    """Return the UTC day of such digits."""
    return day_of(int(number) * DAY_MS)


def place_name(task: str, session: str, root: str) -> str:
    """Return the name of a place: JSON `[task, session]`, and the root if it is another task."""
    return _json([task, session, *([] if root == task else [root])])


def place_dimensions(name: str) -> dict[str, str | None]:
    """Return the dimensions of a place by its name."""
    task, session, *root = json.loads(name)
    return {"task": task, "session": session, "root": root[0] if root else task}
