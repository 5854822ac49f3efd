"""Cron is cron: what each line means, when it fires, and what is refused in which words."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from guardian.sources.cron import SHORTHANDS, cron_text, longest_gap, read_cron, times_after

TUESDAY = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def fires(text: str, count: int = 4, zone: str = "UTC", after: datetime = TUESDAY) -> list[str]:
    """The next times of a line, on the clocks of its zone."""
    times = islice(times_after(read_cron(text), zone, after), count)
    return [f"{at.astimezone(ZoneInfo(zone)):%a %d.%m. %H:%M}" for at in times]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("0 3 * * 0", ["Sun 29.11. 03:00", "Sun 06.12. 03:00"]),
        ("0 3 * * 7", ["Sun 29.11. 03:00", "Sun 06.12. 03:00"]),
        ("0 3 * * SUN", ["Sun 29.11. 03:00", "Sun 06.12. 03:00"]),
        ("0 3 * * 1", ["Mon 30.11. 03:00", "Mon 07.12. 03:00"]),
        ("0 3 * * 1-5", ["Wed 25.11. 03:00", "Thu 26.11. 03:00", "Fri 27.11. 03:00", "Mon 30.11. 03:00"]),
        ("0 3 * * mon-fri", ["Wed 25.11. 03:00", "Thu 26.11. 03:00", "Fri 27.11. 03:00", "Mon 30.11. 03:00"]),
        ("0 3 * * 5-7", ["Fri 27.11. 03:00", "Sat 28.11. 03:00", "Sun 29.11. 03:00", "Fri 04.12. 03:00"]),
        ("0 3 * * fri-sun", ["Fri 27.11. 03:00", "Sat 28.11. 03:00", "Sun 29.11. 03:00", "Fri 04.12. 03:00"]),
        ("0 3 * * sat-mon", ["Sat 28.11. 03:00", "Sun 29.11. 03:00", "Mon 30.11. 03:00", "Sat 05.12. 03:00"]),
        ("0 3 * * 6-1", ["Sat 28.11. 03:00", "Sun 29.11. 03:00", "Mon 30.11. 03:00", "Sat 05.12. 03:00"]),
        ("0 3 * * 7-2", ["Sun 29.11. 03:00", "Mon 30.11. 03:00", "Tue 01.12. 03:00", "Sun 06.12. 03:00"]),
        ("0 3 * * 0-7", ["Wed 25.11. 03:00", "Thu 26.11. 03:00"]),
        ("0 22-4/2 * * *", ["Tue 24.11. 22:00", "Wed 25.11. 00:00", "Wed 25.11. 02:00", "Wed 25.11. 04:00"]),
        ("0 0 1 nov-feb *", ["Tue 01.12. 00:00", "Fri 01.01. 00:00", "Mon 01.02. 00:00", "Mon 01.11. 00:00"]),
        ("*/20 * * * *", ["Tue 24.11. 12:20", "Tue 24.11. 12:40", "Tue 24.11. 13:00"]),
        ("5,50-52 12 * * *", ["Tue 24.11. 12:05", "Tue 24.11. 12:50", "Tue 24.11. 12:51", "Tue 24.11. 12:52"]),
        # Both days are restricted, so either will do; beside a star (or a step over all) both must fit.
        ("0 0 1,15 * mon", ["Mon 30.11. 00:00", "Tue 01.12. 00:00", "Mon 07.12. 00:00", "Mon 14.12. 00:00"]),
        ("0 0 13 * 5", ["Fri 27.11. 00:00", "Fri 04.12. 00:00", "Fri 11.12. 00:00", "Sun 13.12. 00:00"]),
        ("0 0 */2 * 1", ["Mon 07.12. 00:00", "Mon 21.12. 00:00", "Mon 11.01. 00:00", "Mon 25.01. 00:00"]),
        ("0 0 30 2 mon", ["Mon 01.02. 00:00", "Mon 08.02. 00:00"]),
        ("@daily", ["Wed 25.11. 00:00", "Thu 26.11. 00:00"]),
        ("@weekly", ["Sun 29.11. 00:00", "Sun 06.12. 00:00"]),
        ("  0\t3  * * *  ", ["Wed 25.11. 03:00", "Thu 26.11. 03:00"]),
    ],
)
def test_a_line_fires_as_vixie_cron_has_it(text: str, times: list[str]) -> None:
    assert fires(text, len(times)) == times


def test_every_shorthand_is_understood() -> None:
    for text in SHORTHANDS:
        assert fires(text, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * *", "'\\* \\* \\*' is not five cron fields: minute, hour, day of the month, month, day of the week"),
        ("0 0 3 * * *", "not five cron fields"),
        ("", "not five cron fields"),
        ("60 * * * *", "the minute '60' is not understood; it is \\* or made of 0-59"),
        ("0 24 * * *", "the hour '24'"),
        ("0 0 0 * *", "the day of the month '0'"),
        ("0 0 ? * *", "the day of the month '\\?'"),
        ("0 0 * 13 *", "the month '13' is not understood; it is \\* or made of 1-12 or jan-dec"),
        ("0 0 * * 8", "the day of the week '8'"),
        ("0 0 * * freitag", "the day of the week 'freitag'"),
        ("0 0 * * fri-8", "the day of the week 'fri-8'"),
        ("*/0 * * * *", "the minute '\\*/0'"),
        ("50-10/0 * * * *", "the minute '50-10/0'"),
        ("1,,2 * * * *", "the minute '1,,2'"),
        ("0 3 31 2 *", "never fires: no such month has such a day"),
        ("0 3 30,31 feb *", "never fires"),
        ("0 3 31 4,6,9,11 *", "never fires"),
        ("@reboot", "'@reboot' is no shorthand; there are @hourly, @daily"),
    ],
)
def test_what_is_no_line_or_never_fires_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_cron(text)


def test_the_29th_of_february_is_a_day() -> None:
    assert fires("0 0 29 2 *", 1) == ["Tue 29.02. 00:00"]


def test_a_zone_is_followed_through_daylight_saving() -> None:
    # Berlin puts its clocks forward on 28 March 2027 at 2:00, and back on 31 October at 3:00.
    before = datetime(2027, 3, 26, 12, 0, tzinfo=UTC)
    assert fires("30 2 * * *", 3, "Europe/Berlin", before) == [
        "Sat 27.03. 02:30",
        "Sun 28.03. 03:00",  # 2:30 does not exist: it fires when the clock has jumped
        "Mon 29.03. 02:30",
    ]
    back = datetime(2027, 10, 30, 12, 0, tzinfo=UTC)
    assert list(islice(times_after(read_cron("30 2 * * *"), "Europe/Berlin", back), 2)) == [
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),  # the first of two times 2:30, and only that
        datetime(2027, 11, 1, 1, 30, tzinfo=UTC),
    ]
    # A line for every hour fires every hour, whatever the clocks show.
    hourly = list(
        islice(times_after(read_cron("0 * * * *"), "Europe/Berlin", datetime(2027, 10, 30, 23, tzinfo=UTC)), 4)
    )
    assert hourly == [datetime(2027, 10, 31, hour, tzinfo=UTC) for hour in range(4)]


def test_no_time_lies_before_the_moment_that_is_asked_for() -> None:
    second_of_two = datetime(2027, 10, 31, 1, 15, tzinfo=UTC)
    (following,) = islice(times_after(read_cron("30 2 * * *"), "Europe/Berlin", second_of_two), 1)
    assert following == datetime(2027, 11, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30 3 * * 1-5", "at 03:30 on Monday through Friday"),
        ("0 3 * * 0", "at 03:00 on Sunday"),
        ("*/15 * * * *", "every 15th minute of every hour"),
        ("0 0 1,15 * mon", "at 00:00 on the first and the 15th day of month and on Monday"),
    ],
)
def test_a_line_in_words(text: str, words: str) -> None:
    assert cron_text(read_cron(text)) == words


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("0 * * * *", timedelta(hours=1)),
        ("0 9-17 * * *", timedelta(hours=16)),
        ("0 3 * * 1-5", timedelta(days=3)),
        ("0 3 1 * *", timedelta(days=31)),
        ("0 8 29 2 *", timedelta(days=4 * 365 + 1)),
    ],
)
def test_the_longest_gap_spans_nights_and_week_ends(text: str, gap: timedelta) -> None:
    assert longest_gap(read_cron(text), "UTC") == gap
