"""When windows begin and end, across time zones and the nights their clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.windows import bounds, ends_at, known_zone, windows_at

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
         "Pacific/Kiritimati", "Pacific/Chatham", "America/St_Johns")
KINDS = ("h", "d", "w", "m")
MOMENTS = st.integers(1_700_000_000, 1_900_000_000)


def at(zone, *when):
    return datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(("zone", "window", "hours"), [
    ("Europe/Berlin", "d", 23), ("UTC", "d", 24), ("Europe/Berlin", "w", 167),
    ("Europe/Berlin", "m", 743), ("UTC", "m", 744)])
def test_window_with_the_spring_night_is_an_hour_shorter(zone, window, hours):
    begin, end = bounds(window, at(zone, 2026, 3, 29, 12), zone)

    assert (end - begin) / 3600 == hours


def test_day_of_the_autumn_night_has_25_hours():
    begin, end = bounds("d", at("Europe/Berlin", 2026, 10, 25, 12), "Europe/Berlin")

    assert (end - begin) / 3600 == 25


def test_week_begins_on_monday_and_month_on_its_first():
    noon = at("Asia/Tokyo", 2026, 10, 7, 12)

    assert bounds("w", noon, "Asia/Tokyo") == (
        at("Asia/Tokyo", 2026, 10, 5), at("Asia/Tokyo", 2026, 10, 12))
    assert bounds("m", noon, "Asia/Tokyo") == (
        at("Asia/Tokyo", 2026, 10, 1), at("Asia/Tokyo", 2026, 11, 1))


def test_life_never_ends():
    assert ends_at("life", 0) is None


@given(now=MOMENTS, zone=st.sampled_from(ZONES), kind=st.sampled_from(KINDS))
def test_name_of_a_window_changes_exactly_where_it_ends(now, zone, kind):
    begin, end = bounds(kind, now, zone)
    label = windows_at(now, zone).labels[kind]

    assert begin <= now < end
    assert windows_at(end, zone).labels[kind] != label or kind == "h"  # one name, two hours
    assert windows_at(end - 1, zone).labels[kind] == label


@given(now=MOMENTS, zone=st.sampled_from(ZONES))
def test_names_are_right_as_long_as_they_say_they_are(now, zone):
    windows = windows_at(now, zone)

    assert int(now * 1000) in windows
    for moment in (windows.from_ms / 1000, (windows.until_ms - 1) / 1000):
        again = windows_at(moment, zone)
        assert again.utc == windows.utc
        assert again.labels == windows.labels


@given(now=MOMENTS)
def test_names_in_utc_do_not_depend_on_the_zone(now):
    assert {tuple(windows_at(now, zone).utc.items()) for zone in ZONES} == {
        tuple(windows_at(now).labels.items())}


@pytest.mark.parametrize(("name", "known"), [
    ("Europe/Berlin", True), ("UTC", True), ("Europe/Berlim", False), ("", False),
    ("../etc/passwd", False), ("/etc/passwd", False)])
def test_zone_is_known_or_not(name, known):
    assert known_zone(name) is known


def test_moments_are_seconds_since_the_epoch():
    assert bounds("h", 3600 * 5 + 7) == (3600.0 * 5, 3600.0 * 6)
    assert datetime.fromtimestamp(ends_at("d", 0), UTC).day == 2
