from datetime import UTC, datetime

import pytest

from eventing.local.cron import parse


def after(schedule, text):
    now_s = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    return datetime.fromtimestamp(parse(schedule).next_after(now_s), UTC).isoformat()[:16]


@pytest.mark.parametrize(("schedule", "now", "then"), [
    ("* * * * *", "2026-03-01T10:00:30", "2026-03-01T10:01"),
    ("* * * * *", "2026-03-01T10:00:00", "2026-03-01T10:01"),
    ("*/15 * * * *", "2026-03-01T10:46:00", "2026-03-01T11:00"),
    ("5,35 8-9 * * *", "2026-03-01T08:35:00", "2026-03-01T09:05"),
    ("0 0 1 * *", "2026-12-02T00:00:00", "2027-01-01T00:00"),
    ("0 12 29 2 *", "2026-03-01T00:00:00", "2028-02-29T12:00"),
    ("0 0 * * 0", "2026-11-21T00:00:00", "2026-11-22T00:00"),
    ("0 0 * * 7", "2026-11-21T00:00:00", "2026-11-22T00:00"),
    ("0 0 13 * 5", "2026-11-21T00:00:00", "2026-11-27T00:00"),
    ("30/10 * * * *", "2026-03-01T10:31:00", "2026-03-01T10:40"),
])
def test_next_minute_of_a_schedule(schedule, now, then):
    assert after(schedule, now) == then


@pytest.mark.parametrize("schedule", [
    "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "x * * * *",
    "9-5 * * * *", "*/0 * * * *", "@hourly", "1,,2 * * * *", "-1 * * * *"])
def test_wrong_schedule_is_refused(schedule):
    with pytest.raises(ValueError, match=r"."):
        parse(schedule)


def test_schedule_that_never_fires_says_so():
    with pytest.raises(ValueError, match="never fires"):
        parse("0 0 30 2 *").next_after(0.0)
