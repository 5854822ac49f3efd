"""Business days of the United States: no weekends, no federal holidays (5 U.S.C. 6103), no days of one's own list.

A provider restores material not less than 10 nor more than 14 business days after it has received a counter notice,
unless it first learns of an action in court (17 U.S.C. 512(g)(2)(C)).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

EARLIEST, LATEST = 10, 14
_SATURDAY, _SUNDAY = 5, 6
_MONDAY, _THURSDAY = 0, 3


@dataclass(frozen=True, slots=True)
class CounterWindow:
    """The days on which a provider may first and must last restore what a counter notice is about."""

    earliest: date
    latest: date


def counter_window(received: date, holidays: Collection[date] = ()) -> CounterWindow:
    """Return the window of a counter notice that the provider received on this day."""
    return CounterWindow(
        business_days_after(received, EARLIEST, holidays), business_days_after(received, LATEST, holidays)
    )


def business_days_after(start: date, number: int, holidays: Collection[date] = ()) -> date:
    """Return the day that is so many business days after `start`, which itself does not count."""
    day = start
    while number > 0:
        day += timedelta(days=1)
        number -= is_business_day(day, holidays)
    return day


def first_working_day(day: date, holidays: Collection[date] = ()) -> date:
    """Return this day, or the next that is neither on a weekend nor a holiday of one's own list.

    A time that a letter sets should not end when nobody is at work (in Germany it would not: section 193 BGB).
    Federal holidays of the United States do not count: letters go to every country.
    """
    while day.weekday() >= _SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day


def is_business_day(day: date, holidays: Collection[date] = ()) -> bool:
    """Return whether a day is a business day."""
    return day.weekday() < _SATURDAY and day not in holidays and day not in federal_holidays(day.year)


def federal_holidays(year: int) -> frozenset[date]:
    """Return the federal holidays of a year as they are observed: on Friday for a Saturday, on Monday for a Sunday."""
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    # That of a year's 1 January may be observed on the last day of the year before.
    fixed.append(date(year + 1, 1, 1))
    moving = [
        _nth(year, 1, _MONDAY, 3),
        _nth(year, 2, _MONDAY, 3),
        _last_monday_of_may(year),
        _nth(year, 9, _MONDAY, 1),
        _nth(year, 10, _MONDAY, 2),
        _nth(year, 11, _THURSDAY, 4),
    ]
    return frozenset(moving) | {_observed(day) for day in fixed}


def _observed(day: date) -> date:
    if day.weekday() == _SATURDAY:
        return day - timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == _SUNDAY else day


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
