"""Scans ask within their hours only."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from guardian.fetch.hours import hours


@pytest.mark.parametrize(
    ("window", "clock", "minutes"),
    [
        ("22:00-06:00", "22:00", 0),
        ("22:00-06:00", "23:59", 0),
        ("22:00-06:00", "05:59", 0),
        ("22:00-06:00", "06:00", 960),
        ("22:00-06:00", "21:59", 1),
        ("09:30-17:00", "09:29", 1),
        ("09:30-17:00", "12:00", 0),
        ("09:30-17:00", "17:00", 990),
        ("00:00-23:59", "23:59", 1),
    ],
)
def test_the_wait_is_until_the_window_opens(window: str, clock: str, minutes: int) -> None:
    now = datetime.fromisoformat(f"2026-11-24T{clock}:00+00:00")
    assert hours(window).until_open(now) == timedelta(minutes=minutes)


def test_other_time_zones_are_understood() -> None:
    now = datetime(2026, 11, 24, 23, 30, tzinfo=timezone(timedelta(hours=2)))
    assert hours("22:00-06:00").until_open(now) == timedelta(minutes=30)
    assert hours("21:00-06:00").until_open(now.astimezone(UTC)) == timedelta()


def test_the_length_goes_over_midnight() -> None:
    assert (hours("22:00-06:00").length, hours("09:30-17:00").length) == (timedelta(hours=8), timedelta(hours=7.5))


@pytest.mark.parametrize("text", ["", "22:00", "22-06", "24:00-06:00", "22:00-22:00", "22:60-06:00", "10pm-6am"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="22:00"):
        hours(text)
