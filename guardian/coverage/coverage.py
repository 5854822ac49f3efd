"""Works out the coverage of each source from its scans: what they saw, what they left out, and any trouble."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from guardian.coverage.settings import CoverageSettings
from guardian.model import (
    CacheStatus,
    Coverage,
    Outcome,
    Scan,
    ScanCounts,
    ScanOutcome,
    Trouble,
    TroubleKind,
)
from guardian.sources.settings import SourceSettings
from guardian.store import Transaction

_MATCHED = (Outcome.COPY, Outcome.REVIEW, Outcome.LICENSED)
_FEWEST_USUAL_IMAGES = 4
"""A source that usually has fewer images may lose half of them without anything being wrong."""


def coverages(
    tx: Transaction,
    sources: Sequence[SourceSettings],
    now: datetime,
    settings: CoverageSettings,
    closed: timedelta = timedelta(),
) -> list[Coverage]:
    """Return the coverage of every configured source, in the configuration's order.

    `closed`: how long each day nothing is fetched (fetch.hours); a source may be silent for so much longer.
    """
    # Twice as many as are looked at, since some of them may have failed; and one that may still be running.
    wanted = max(settings.usual_scans, settings.failing_after) * 2 + 1
    return [coverage_of(source, tx.scans.list(source.name, wanted), now, settings, closed) for source in sources]


def coverage_of(
    source: SourceSettings,
    scans: Sequence[Scan],
    now: datetime,
    settings: CoverageSettings,
    closed: timedelta = timedelta(),
) -> Coverage:
    """Return the coverage of one source, given its scans, the newest first."""
    ended = [scan for scan in scans if scan.outcome is not None]
    complete = [scan for scan in ended if scan.outcome is ScanOutcome.COMPLETED]
    counts = ended[0].counts if ended else ScanCounts()
    silent_before = now - usual_gap(source) * settings.silent_after - closed

    # The newest complete scan is the one that is compared with the usual, so it does not count towards it.
    usual = [scan.counts.images for scan in complete[1 : settings.usual_scans + 1]]
    usual_images = median(usual) if len(usual) >= min(3, settings.usual_scans) else None

    # The heaviest trouble first.
    last_good = complete[0].id if complete else 0
    trouble = (
        _failing(ended, settings, last_good)
        or _silent(ended, complete, silent_before, now, last_good)
        or _shrinking(complete, usual_images, settings)
    )
    return Coverage(
        source=source.name,
        last=scans[0] if scans else None,
        last_complete=complete[0] if complete else None,
        pages=counts.pages,
        pages_unchanged=counts.pages_unchanged,
        images=counts.images,
        fetched=counts.cache_statuses[CacheStatus.FETCHED],
        unchanged=counts.cache_statuses[CacheStatus.UNCHANGED],
        fresh=counts.cache_statuses[CacheStatus.FRESH],
        again=counts.cache_statuses[CacheStatus.AGAIN],
        compared=sum(counts.outcomes[outcome] for outcome in (*_MATCHED, Outcome.CLEAR, Outcome.PARTIAL)),
        matched=sum(counts.outcomes[outcome] for outcome in _MATCHED),
        not_seen=dict(counts.not_seen.most_common()),
        usual_images=usual_images,
        trouble=trouble,
        last_ended=ended[0] if ended else None,
    )


def usual_gap(source: SourceSettings) -> timedelta:
    """Return the usual time between two scans: the interval, or the longest gap of a cron line (over a week-end)."""
    if source.cron is None:
        return source.every

    # Only configurations with cron lines pay for loading their reader.
    from guardian.sources.cron import longest_gap

    return longest_gap(source.cron, source.timezone or "UTC")


def _failing(ended: Sequence[Scan], settings: CoverageSettings, last_good: int) -> Trouble | None:
    """Return the trouble of a source whose last scans all failed; None where they did not."""
    latest = ended[: settings.failing_after]
    if len(latest) < settings.failing_after or any(scan.outcome is not ScanOutcome.FAILED for scan in latest):
        return None
    failed = "the last scan failed" if len(latest) == 1 else f"{len(latest)} scans in a row failed, the last one"
    return Trouble(TroubleKind.FAILING, f"{failed}: {latest[0].error}", last_good)


def _silent(
    ended: Sequence[Scan], complete: Sequence[Scan], silent_before: datetime, now: datetime, last_good: int
) -> Trouble | None:
    """Return the trouble of a source that has had no complete scan for too long; None where it has."""
    # Without a complete scan the hours are counted from the first scan; a source that was never scanned is just new.
    reference = complete[0].ended_at if complete else ended[-1].started_at if ended else None
    if reference is None or reference >= silent_before:
        return None
    hours = (now - reference).total_seconds() / 3600
    return Trouble(TroubleKind.SILENT, f"no complete scan for {hours:.1f} hours", last_good)


def _shrinking(complete: Sequence[Scan], usual_images: float | None, settings: CoverageSettings) -> Trouble | None:
    """Return the trouble of a source of which the last scan saw far fewer images than usual; None where it did not."""
    if not complete or usual_images is None or usual_images < _FEWEST_USUAL_IMAGES:
        return None
    images, fewest = complete[0].counts.images, usual_images * settings.shrunk_to
    if images >= fewest:
        return None
    detail = f"the last scan saw {images} images, a usual one {usual_images:g}"
    # The trouble began after the last scan that saw enough images.
    last_well = next((scan.id for scan in complete if scan.counts.images >= fewest), 0)
    return Trouble(TroubleKind.SHRINKING, detail, last_well)
