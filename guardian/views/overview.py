"""What happened in the last weeks, as numbers that a page draws and a spreadsheet reads. Pure functions."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from guardian.views.plain_text import without_formula

_KINDS = {
    "opened": "new",
    "confirmed": "decided",
    "dismissed": "decided",
    "notice_sent": "decided",
    "closed": "decided",
    "resolved": "decided",
    "granted": "decided",
    "gone": "gone",
    "returned": "returned",
    "reopened": "returned",
}
SERIES = ("new", "decided", "gone", "returned")


@dataclass(frozen=True, slots=True)
class Week:
    """A week, named by its Monday, and how often each of SERIES happened in it."""

    monday: date
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last scan of a source that ended saw: how many pictures were compared, and how much was left out.

    `trouble`: what is wrong with the source; empty when it is well.
    """

    source: str
    compared: int
    not_seen: int
    trouble: str

    @property
    def share(self) -> float | None:
        """Which share of what there was was compared (0-1); None when there was nothing, or no scan."""
        total = self.compared + self.not_seen
        return self.compared / total if total else None


def seen_of(coverage: Mapping[str, Any]) -> Seen:
    """Return what the coverage of a source, as `coverage_json` has it, says in short."""
    trouble = coverage["trouble"]
    words = f"{trouble['kind']}: {trouble['detail']}" if trouble is not None else ""
    if coverage["last_ended"] is None:
        words = words or "not scanned yet"
    return Seen(coverage["source"], coverage["compared"], sum(coverage["not_seen"].values()), words)


def weeks_of(events: Iterable[tuple[datetime, str]], now: datetime, number: int) -> list[Week]:
    """Return the last weeks, the oldest first, this one included."""
    this = now.date() - timedelta(days=now.weekday())
    weeks = {this - timedelta(weeks=ago): dict.fromkeys(SERIES, 0) for ago in range(number - 1, -1, -1)}
    for at, kind in events:
        monday = at.date() - timedelta(days=at.weekday())
        if monday in weeks and kind in _KINDS:
            weeks[monday][_KINDS[kind]] += 1
    return [Week(monday, counts) for monday, counts in weeks.items()]


def median_text(times: Sequence[timedelta]) -> str:
    """Return the median of some times in the unit that fits: "3.5 hours"; "none yet" for no times."""
    if not times:
        return "none yet"
    hours = median(one.total_seconds() for one in times) / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours" if hours >= 1 else f"{hours * 60:.0f} min"


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV (RFC 4180) without formulas: spreadsheets run cells that begin with = + - @."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows([without_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return written.getvalue()
