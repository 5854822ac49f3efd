"""Scans as JSON and in words."""

from typing import Any

from guardian.model import Scan
from guardian.views.timestamps import json_timestamp, minute_text


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


def outcome_text(scan: Scan | None) -> str:
    """Return one line: how a source's last scan ended and what it counted. None: the source was never scanned.

    The error may hold words of the site: escape it for the medium.
    """
    if scan is None:
        return "never scanned"

    # A scan that was stopped at its first page may have counted nothing and met no error.
    counts = ", ".join(f"{number} {word}" for word, number in scan.counts.as_words().items())
    words = "; ".join(part for part in (counts, scan.error or "") if part) or "nothing"
    return f"{scan.outcome or 'running'} {minute_text(scan.started_at)}: {words}"
