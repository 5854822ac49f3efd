"""Matches a picture with the protected assets, or returns the report of an earlier match."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from guardian.errors import StoreUnusable, Unmatchable, WorkerLost
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.model import DescribedPicture, Fetched, MatchReport, QuarantinedImage, Skipped
from guardian.scan.context import CHECK
from guardian.scan.image_quarantine import unless_quarantined
from guardian.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Matched:
    """The matcher's report about a picture, or a Skipped that says why it cannot be matched.

    `described` is what the memory keeps of it; None when it has that already, or is to remember nothing.
    """

    report: MatchReport | Skipped
    described: DescribedPicture | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says of a picture before it is matched."""

    report: MatchReport | Skipped | None
    """That of an earlier match."""

    quarantined: QuarantinedImage | None
    """What is known if its worker was lost."""

    latest_number: int
    """The highest number of an asset now."""

    compared: int
    """How many assets there are now to compare with."""

    is_wanted: bool
    """Whether the memory lacks the picture."""


async def match_image(
    store: Store, workers: Workers, clock: Callable[[], datetime], fetched: Fetched, memory: Memory | None
) -> Matched:
    """Return what the matcher says of these bytes, and what the memory is to keep of them.

    Bytes that were matched before are compared only with assets that were added since. Either answer is cached
    until the recipe changes, which names how features are made. Raises IndexNotReady, WorkersUnavailable, WorkerLost.
    """
    known = await asyncio.to_thread(_recall, store, workers.report_recipe, fetched.sha256, memory)
    before = known.report
    if isinstance(before, Skipped):
        return Matched(before)
    if before is not None and before.up_to_number >= known.latest_number:
        return Matched(before, await _described(workers, fetched) if known.is_wanted else None)

    try:
        newer_than = before.up_to_number if before is not None else 0
        async with unless_quarantined(store, workers.report_recipe, clock, fetched, known.quarantined) as tolerated:
            newer, described = await _matched(workers, fetched, newer_than, tolerated, describing=known.is_wanted)
    except Unmatchable as error:
        skipped = Skipped("", error.reason, error.detail)
        await asyncio.to_thread(_remember, store, workers.report_recipe, fetched, skipped, clock())
        return Matched(skipped)

    report = _joined(before, newer)
    if report.assets_searched < known.compared or report.up_to_number < known.latest_number:
        # Assets are published to the index before they count as protected. So if the index has fewer, or none as new,
        # it has lost some, or a process with another data folder has added them and they are not here yet.
        report = replace(report, partial=True)
    if not report.partial:
        # A partial report is not remembered, so that the next sighting is compared with all assets.
        await asyncio.to_thread(_remember, store, workers.report_recipe, fetched, report, clock())
    return Matched(report, described)


async def _matched(
    workers: Workers, fetched: Fetched, newer_than: int, crashes_tolerated: int, *, describing: bool
) -> tuple[MatchReport, DescribedPicture | None]:
    """Compare a picture with the assets whose number is above `newer_than`; if `describing`, describe it, too."""
    if describing:
        return await workers.match_and_describe(fetched.content, newer_than, crashes_tolerated=crashes_tolerated)
    return await workers.match(fetched.content, newer_than, crashes_tolerated=crashes_tolerated), None


def _recall(store: Store, recipe: str, sha256: str, memory: Memory | None) -> _Known:
    with store.read() as tx:
        return _Known(
            report=tx.candidates.known(sha256, recipe),
            quarantined=tx.quarantine.known(sha256, recipe),
            latest_number=tx.compared_assets.latest_number(),
            compared=tx.compared_assets.count(),
            is_wanted=memory is not None and memory.lacks(tx, sha256),
        )


def _remember(store: Store, recipe: str, fetched: Fetched, answer: MatchReport | Skipped, at: datetime) -> None:
    try:
        with store.begin() as tx:
            tx.candidates.remember(fetched.sha256, recipe, answer, at)
    except StoreUnusable:
        # A check only asks, also where the database cannot be written: it does without the cache then.
        if fetched.sighting.source != CHECK:
            raise


async def _described(workers: Workers, fetched: Fetched) -> DescribedPicture | None:
    """Return what the memory keeps of a picture that was compared before it began to remember; None if that fails.

    An answer that is known must not fail because of it.
    """
    try:
        return await workers.describe(fetched.content)
    except (Unmatchable, WorkerLost) as error:
        log.warning("picture_not_remembered", image_url=fetched.sighting.image_url, reason=str(error))
        return None


def _joined(known: MatchReport | None, newer: MatchReport) -> MatchReport:
    """Return one report of both, ranked by probability; for an asset in both the newer measurement counts."""
    if known is None:
        return newer

    measured_again = {match.asset_id for match in newer.matches}
    kept = [match for match in known.matches if match.asset_id not in measured_again]
    ranked = sorted([*kept, *newer.matches], key=lambda match: -match.comparison.probability)
    return replace(newer, matches=tuple(ranked))
