"""What the last scans of a source saw, and what they did not, as JSON."""

from typing import Any

from guardian.model import Coverage, Trouble
from guardian.views.scans import scan_json


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """Return the object of one source, as `coverage --json` and /coverage show it.

    `not_seen` counts by reason, the most frequent first; `trouble` is null when the source is well.
    """
    return {
        "source": coverage.source,
        "last": scan_json(coverage.last) if coverage.last else None,
        "last_complete": scan_json(coverage.last_complete) if coverage.last_complete else None,
        "pages": coverage.pages,
        "pages_unchanged": coverage.pages_unchanged,
        "images": coverage.images,
        "fetched": coverage.fetched,
        "unchanged": coverage.unchanged,
        "fresh": coverage.fresh,
        "again": coverage.again,
        "compared": coverage.compared,
        "matched": coverage.matched,
        "not_seen": dict(coverage.not_seen),
        "usual_images": coverage.usual_images,
        "trouble": _trouble_json(coverage.trouble) if coverage.trouble else None,
    }


def _trouble_json(trouble: Trouble) -> dict[str, Any]:
    return {"kind": trouble.kind.value, "detail": trouble.detail, "since_scan": trouble.since_scan}
