"""Cron lines as Vixie cron reads them: checked, in words, and the times at which they fire.

Sunday is 0 and 7, names and ranges that wrap (fri-sun) are understood, and a restricted day of the month beside a
restricted day of the week means either of them. Around daylight saving: see docs/sources.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""What may be written instead of five fields. Vixie cron also knows @reboot, which means nothing for a source."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five fields: its numbers, the names of numbers from `least` on, and what may stand there, in words."""

    name: str
    least: int
    greatest: int
    allowed: str
    names: tuple[str, ...] = ()


_WEEKDAY = _Field("day of the week", 0, 7, "0-7 or sun-sat (0 and 7 are Sunday)", _DAYS)
_FIELDS = (
    _Field("minute", 0, 59, "0-59"),
    _Field("hour", 0, 23, "0-23"),
    _Field("day of the month", 1, 31, "1-31"),
    _Field("month", 1, 12, "1-12 or jan-dec", _MONTHS),
    _WEEKDAY,
)
# Any moment will do to measure gaps from; a fixed one makes the answer the same at all times.
_FIXED = datetime(2024, 1, 1, tzinfo=UTC)
_FEWEST_GAPS, _MEASURED_OVER = 14, timedelta(days=8)


def read_cron(text: str) -> str:
    """Return a cron line as five fields that `times_after` and `cron_text` take.

    Raises ValueError, in words for people, for what is no cron line and for one that never fires.
    """
    line = text.strip().lower()
    if line.startswith("@"):
        if line not in SHORTHANDS:
            raise ValueError(f"{text!r} is no shorthand; there are {', '.join(SHORTHANDS)}")
        line = SHORTHANDS[line]

    fields = line.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        raise ValueError(f"{text!r} is not five cron fields: {names}, as in '30 3 * * 1-5'")

    plain = " ".join(_checked_field(position, field) for position, field in enumerate(fields))
    try:
        next(CronSim(plain, _FIXED))
    except (CronSimError, StopIteration):
        raise ValueError(f"{text!r} never fires: no such month has such a day") from None
    return plain


def times_after(line: str, zone: str, at: datetime) -> Iterator[datetime]:
    """Yield the times, in UTC, at which a cron line fires after an aware time. `line` is as `read_cron` returns it."""
    for fires in CronSim(line, at.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))):
        moment = fires.astimezone(UTC)
        # An hour that the clock shows twice counts once, the first time; `at` may lie in the second.
        if moment > at:
            yield moment


def cron_text(line: str) -> str:
    """Return when a cron line fires, in words: "at 03:00 on Monday through Friday"."""
    words = CronSim(line, _FIXED).explain()
    return words[:1].lower() + words[1:]


@lru_cache(maxsize=256)
def longest_gap(line: str, zone: str) -> timedelta:
    """Return the longest time between two firings, measured over a week and at least fourteen gaps."""
    times = [_FIXED]
    for moment in times_after(line, zone, _FIXED):
        times.append(moment)
        if len(times) > _FEWEST_GAPS and moment - _FIXED > _MEASURED_OVER:
            break
    # The first gap begins at no firing.
    return max((later - earlier for earlier, later in pairwise(times[1:])), default=timedelta(days=366))


def _checked_field(position: int, text: str) -> str:
    """Return a field that cronsim reads. Raises ValueError that names the field and what may stand there."""
    field = _FIELDS[position]
    plain = ",".join(_unwrapped(term, field) for term in text.split(","))

    tried = ["*"] * len(_FIELDS)
    tried[position] = plain
    try:
        CronSim(" ".join(tried), _FIXED)
    except CronSimError:
        raise ValueError(f"the {field.name} {text!r} is not understood; it is * or made of {field.allowed}") from None
    return plain


def _unwrapped(term: str, field: _Field) -> str:
    """Return a term of a field; a range that ends before it begins (fri-sun, 22-4/2) as one that does not."""
    whole, slash, step = term.partition("/")
    start_text, dash, end_text = whole.partition("-")
    start, end = _number(start_text, field), _number(end_text, field)
    if not dash or start is None or end is None or start <= end:
        return term
    if slash and (not step.isdecimal() or int(step) == 0):
        return term

    greatest = field.greatest
    if field is _WEEKDAY:
        # A week has seven days although eight numbers name them.
        if end == 0:
            return f"{start}-7{slash}{step}"
        start, greatest = start % 7, 6

    numbers = range(start, end + 1) if start <= end else (*range(start, greatest + 1), *range(field.least, end + 1))
    return ",".join(str(number) for number in numbers[:: int(step) if slash else 1])


def _number(text: str, field: _Field) -> int | None:
    """Return what a number or a name of a field means; None for anything else."""
    if text in field.names:
        return field.least + field.names.index(text)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1
    return number if field.least <= number <= field.greatest else None
