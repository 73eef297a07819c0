"""Names the time bucket that a kept sum belongs to, in a zone, without I/O."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.costs.questions.ranges import Span, hour_start_ms
from shared.errors import Permanent

FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
UTC_NAME = "UTC"


@lru_cache(maxsize=4096)
def named(bucket: str, label: str, zone: str) -> str:
    """Return the bucket (`2026-11-21`, `2026-W47`) of a kept sum's label in a zone.

    Without a zone, a label is at least as fine as the bucket; with one it is an hour.
    """
    if zone == UTC_NAME:
        if bucket == "week":
            return date.fromisoformat(label[:10]).strftime(FORMATS[bucket])
        return label[:{"month": 7, "day": 10, "hour": 13}[bucket]]
    at = datetime.fromtimestamp(hour_start_ms(label) / 1000, ZoneInfo(zone))
    return at.strftime(FORMATS[bucket])


def checked_zone(name: str, span: Span) -> str:
    """Return the name of a zone whose buckets are made of whole UTC hours.

    Raises:
        Permanent: there is no such zone, or its offset is not of whole hours.
    """
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Permanent(f"tz: {name!r} is no IANA time zone such as Europe/Berlin") from error
    for at_ms in (span.start_ms, span.end_ms, None):
        at = datetime.now(UTC) if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
        if (at.astimezone(zone).utcoffset() or timedelta()) % timedelta(hours=1):
            raise Permanent(f"tz: {name} is not whole hours from UTC, and sums are kept by the "
                            "hour: ask by UTC")
    return name
