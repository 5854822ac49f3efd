"""Scans as JSON and in words."""

from typing import Any

from guardian.model import Scan
from guardian.views.answers import outcomes_text
from guardian.views.counting import counted
from guardian.views.timestamps import json_timestamp


def scan_json(scan: Scan) -> dict[str, Any]:
    """Return the object of one scan, as `coverage --json` and /coverage show the last ones of a source.

    `outcome` and `ended_at` are null while the scan runs.
    """
    return {
        "id": scan.id,
        "source": scan.source,
        "started_at": json_timestamp(scan.started_at),
        "ended_at": json_timestamp(scan.ended_at) if scan.ended_at else None,
        "outcome": scan.outcome,
        "counts": scan.counts.as_words(),
        "error": scan.error,
    }


def outcome_text(scan: Scan) -> str:
    """Return how a scan ended: "completed", "failed", "interrupted", or "running"."""
    return scan.outcome or "running"


def result_text(scan: Scan) -> str:
    """Return what a scan counted and why it ended, in one line: "3 pages, 2 copies, 1 not seen; it answered 403".

    The error may hold words of the site: escape it for the medium.
    """
    counts = scan.counts
    parts = [counted(counts.pages, "page") if counts.pages else "", outcomes_text(counts.outcomes)]
    if not_seen := counts.not_seen.total():
        parts.append(f"{not_seen} not seen")
    parts += [f"{number} {word}" for word, number in counts.other.items()]

    # A scan that was stopped at its first page may have counted nothing and met no error.
    counted_text = ", ".join(part for part in parts if part)
    return "; ".join(part for part in (counted_text, scan.error or "") if part) or "nothing"
