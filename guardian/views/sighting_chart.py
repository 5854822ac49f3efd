"""Sightings on a time line, as numbers that a page draws as SVG. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardian.model import Finding, FindingDigest

_MOST_ROWS = 24
_LEAST_SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SightingRow:
    """One finding: from and to as fractions (0-1) of the span, and where its versions were first seen."""

    finding: Finding
    start: float
    end: float
    versions: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SightingChart:
    """The sightings of a case, the first seen first. `left_out`: how many findings are not in it."""

    start: datetime
    end: datetime
    rows: tuple[SightingRow, ...]
    left_out: int


def sighting_chart(
    findings: Sequence[Finding], versions: Mapping[str, Sequence[FindingDigest]]
) -> SightingChart | None:
    """Return the time line of these findings; None for none."""
    if not findings:
        return None
    shown = findings[:_MOST_ROWS]
    start = min(finding.first_seen_at for finding in shown)
    end = max(max(finding.last_seen_at for finding in shown), start + _LEAST_SPAN)
    span = end - start

    def place(at: datetime) -> float:
        return min(1.0, max(0.0, (at - start) / span))

    rows = tuple(
        SightingRow(
            finding,
            place(finding.first_seen_at),
            place(finding.last_seen_at),
            tuple(place(version.first_seen_at) for version in versions.get(finding.id, ())),
        )
        for finding in shown
    )
    return SightingChart(start, end, rows, len(findings) - len(shown))
