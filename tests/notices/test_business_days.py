"""Business days: weekends, federal holidays as they are observed, and days of one's own."""

from datetime import date

import pytest

from guardian.notices.business_days import (
    business_days_after,
    counter_window,
    federal_holidays,
    first_working_day,
    is_business_day,
)


@pytest.mark.parametrize(
    ("received", "earliest", "latest"),
    [
        # Monday; Thanksgiving (26 November) lies within.
        (date(2026, 11, 16), date(2026, 12, 1), date(2026, 12, 7)),
        # Christmas Day and New Year's Day.
        (date(2026, 12, 18), date(2027, 1, 5), date(2027, 1, 11)),
        # A Saturday counts from the Monday after.
        (date(2026, 8, 1), date(2026, 8, 14), date(2026, 8, 20)),
    ],
)
def test_the_window_of_a_counter_notice(received: date, earliest: date, latest: date) -> None:
    window = counter_window(received)
    assert (window.earliest, window.latest) == (earliest, latest)


def test_a_days_own_holiday_counts() -> None:
    own = [date(2026, 8, 5)]
    assert counter_window(date(2026, 8, 3), own).earliest == business_days_after(date(2026, 8, 3), 11)
    assert not is_business_day(date(2026, 8, 5), own)


def test_federal_holidays_of_2026_and_their_observance() -> None:
    assert {day for day in federal_holidays(2026) if day.year == 2026} == {
        date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25), date(2026, 6, 19), date(2026, 7, 3),
        date(2026, 9, 7), date(2026, 10, 12), date(2026, 11, 11), date(2026, 11, 26), date(2026, 12, 25),
    }  # fmt: skip
    # 1 January 2028 is a Saturday.
    assert not is_business_day(date(2027, 12, 31))


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 12, 4), date(2026, 12, 4)),
        # Saturday and Sunday; Thanksgiving is a working day elsewhere.
        (date(2026, 12, 5), date(2026, 12, 7)),
        (date(2026, 12, 6), date(2026, 12, 7)),
        (date(2026, 11, 26), date(2026, 11, 26)),
        # Days of one's own list, and the weekend after them.
        (date(2026, 12, 24), date(2026, 12, 28)),
    ],
)
def test_a_time_that_a_letter_sets_ends_on_a_working_day(day: date, ends: date) -> None:
    assert first_working_day(day, (date(2026, 12, 24), date(2026, 12, 25))) == ends
