"""Coverage of a source as JSON and in words: what its last scans saw, and what they did not."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from guardian.model import Coverage, EvidenceRoom, Importance, ScanOutcome, Trouble
from guardian.views.comparisons import share_text
from guardian.views.counting import counted, size_text
from guardian.views.scans import outcome_text, scan_json
from guardian.views.timestamps import minute_text

FILLING = 0.8
"""The part of the room for evidence from which on people are told what happens when it is full."""


def coverage_json(coverage: Coverage, room: EvidenceRoom | None) -> dict[str, Any]:
    """Return the object of one source, as `coverage --json` and /coverage show it.

    `not_seen` counts by reason, the most frequent first; `trouble` is null when the source is well. `evidence` is the
    same for all sources, which share the room; null when it is not known.
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
        "last_ended": scan_json(coverage.last_ended) if coverage.last_ended else None,
        "evidence": _room_json(room) if room else None,
    }


def coverage_facts(coverage: Coverage, assets: int, dated: Callable[[datetime], str] = minute_text) -> dict[str, str]:
    """Return short labels and the text of each, in reading order; empty when the source was never scanned.

    `assets`: how many are protected. `dated` writes times. A scan's error may hold words of the site: escape it for
    the medium.
    """
    last, ended = coverage.last, coverage.last_ended
    if last is None:
        return {}

    facts = {}
    if last.outcome is None:
        facts["running"] = f"a scan since {dated(last.started_at)}"
        facts["last scan"] = "none has ended yet"
    if ended is None:
        return facts

    error = f": {ended.error}" if ended.error else ""
    facts["last scan"] = f"{dated(ended.started_at)}, {outcome_text(ended)}{error}"
    if ended.outcome is not ScanOutcome.COMPLETED:
        whole = coverage.last_complete
        facts["last complete"] = dated(whole.started_at) if whole else "never"

    if coverage.pages:
        facts["pages"] = f"{coverage.pages}, {coverage.pages_unchanged} unchanged"

    # Without a usual number nothing is said: "usually 0" would be wrong after the first scans.
    usual = f" (usually {coverage.usual_images:g})" if coverage.usual_images is not None else ""
    compared = f"{coverage.compared} compared with {counted(assets, 'protected asset')}"
    facts["images"] = f"{coverage.images}{usual}, {compared}, {coverage.matched} matched"

    unchanged = f"{coverage.unchanged} unchanged (304), {coverage.fresh} still fresh and not asked for"
    facts["fetched"] = f"{coverage.fetched} anew, {unchanged}, {coverage.again} seen again on another page"
    return facts


def room_text(room: EvidenceRoom) -> str:
    """Return how full the room for evidence is, and from FILLING on what happens then."""
    used = f"{size_text(room.used_bytes)} of {size_text(room.max_bytes)} used ({share_text(room.share)})"
    if room.share < FILLING:
        return used

    repeated = room.versions.get(Importance.LATEST, 0) + room.versions.get(Importance.UNKNOWN, 0)
    return (
        f"{used}. When it is full, captures in which nothing that matters changed are removed to make room for new "
        f"findings ({counted(repeated, 'capture')} now), then those of dismissed and licensed uses; the first "
        "capture of an open case stays. Raise evidence.max_bytes, or move evidence to an archive"
    )


def _room_json(room: EvidenceRoom) -> dict[str, Any]:
    return {
        "bytes": room.used_bytes,
        "max_bytes": room.max_bytes,
        "versions": {importance.value: room.versions.get(importance, 0) for importance in Importance},
    }


def _trouble_json(trouble: Trouble) -> dict[str, Any]:
    return {"kind": trouble.kind.value, "detail": trouble.detail, "since_scan": trouble.since_scan}
