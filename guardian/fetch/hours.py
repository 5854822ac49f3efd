"""The hours of the day, in UTC, in which scans may send requests to other people's sites."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """A window of the day in UTC, from `begin` to `end`; it spans midnight where `end` is earlier."""

    begin: time
    end: time

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    @property
    def length(self) -> timedelta:
        """How long the window is open each day."""
        minutes = (self.end.hour - self.begin.hour) * 60 + self.end.minute - self.begin.minute
        return timedelta(minutes=minutes % (24 * 60))

    def until_open(self, now: datetime) -> timedelta:
        """Return how long it is until the window opens; zero within it."""
        moment = now.astimezone(UTC)
        began = moment.replace(hour=self.begin.hour, minute=self.begin.minute, second=0, microsecond=0)
        if began > moment:
            # The window that matters opened yesterday, and may span midnight.
            began -= timedelta(days=1)
        return timedelta() if moment < began + self.length else began + timedelta(days=1) - moment


def hours(text: str) -> Hours:
    """Return the window that a text such as 22:00-06:00 states. Raises ValueError that says the accepted form."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a stretch of the day; write two times in UTC: 22:00-06:00")
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if begin == end:
        raise ValueError(f"{text!r} begins where it ends; leave it out to ask at any hour")
    return Hours(begin, end)
