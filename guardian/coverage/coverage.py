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
        trouble=_trouble(ended, complete, usual_images, silent_before, now, settings),
        last_ended=ended[0] if ended else None,
    )


def usual_gap(source: SourceSettings) -> timedelta:
    """Return the usual time between two scans: the interval, or the longest gap of a cron line (over a week-end)."""
    if source.cron is None:
        return source.every

    # Only configurations with cron lines pay for loading their reader.
    from guardian.sources.cron import longest_gap

    return longest_gap(source.cron, source.timezone or "UTC")


def _trouble(
    ended: Sequence[Scan],
    complete: Sequence[Scan],
    usual_images: float | None,
    silent_before: datetime,
    now: datetime,
    settings: CoverageSettings,
) -> Trouble | None:
    """Return what is wrong with a source, the heaviest first: failing, silent, shrinking; None when all is well."""
    last_good = complete[0].id if complete else 0
    latest = ended[: settings.failing_after]
    if len(latest) == settings.failing_after and all(scan.outcome is ScanOutcome.FAILED for scan in latest):
        failed = "the last scan failed" if len(latest) == 1 else f"{len(latest)} scans in a row failed, the last one"
        detail = f"{failed}: {latest[0].error}"
        return Trouble(TroubleKind.FAILING, detail, last_good)

    # Without a complete scan the hours are counted from the first scan; a source that was never scanned is just new.
    reference = complete[0].ended_at if complete else ended[-1].started_at if ended else None
    if reference is not None and reference < silent_before:
        hours = (now - reference).total_seconds() / 3600
        return Trouble(TroubleKind.SILENT, f"no complete scan for {hours:.1f} hours", last_good)

    if complete and usual_images is not None and usual_images >= _FEWEST_USUAL_IMAGES:
        images = complete[0].counts.images
        fewest = usual_images * settings.shrunk_to
        if images < fewest:
            detail = f"the last scan saw {images} images, a usual one {usual_images:g}"
            # The trouble began after the last scan that saw enough images.
            last_well = next((scan.id for scan in complete if scan.counts.images >= fewest), 0)
            return Trouble(TroubleKind.SHRINKING, detail, last_well)

    return None
