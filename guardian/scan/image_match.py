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
from guardian.scan.image_quarantine import match_unless_quarantined
from guardian.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Matched:
    """The matcher's report about a picture, or a Skipped that says why it cannot be matched.

    `described` is what the memory keeps of it; None when it has that already, or is to remember nothing.
    """

    report: MatchReport | Skipped
    described: DescribedPicture | None = None


async def match_image(
    store: Store, workers: Workers, clock: Callable[[], datetime], fetched: Fetched, memory: Memory | None = None
) -> Matched:
    """Return what the matcher says of these bytes, and what the memory is to keep of them.

    Bytes that were matched before are compared only with assets that were added since. Either answer is cached
    until the recipe changes, which names how features are made. Raises IndexNotReady, WorkersUnavailable, WorkerLost.
    """

    def recall() -> tuple[MatchReport | Skipped | None, QuarantinedImage | None, int, int, bool]:
        with store.read() as tx:
            known = tx.candidates.known(fetched.sha256, workers.report_recipe)
            failed = tx.quarantine.known(fetched.sha256, workers.report_recipe)
            describing = memory is not None and memory.lacks(tx, fetched.sha256)
            return known, failed, tx.assets.latest_number(), tx.assets.count_compared(), describing

    def remember(answer: MatchReport | Skipped) -> None:
        try:
            with store.begin() as tx:
                tx.candidates.remember(fetched.sha256, workers.report_recipe, answer, clock())
        except StoreUnusable:
            # A check only asks, also where the database cannot be written: it does without the cache then.
            if fetched.sighting.source != CHECK:
                raise

    known, failed, latest_number, protected, describing = await asyncio.to_thread(recall)
    if isinstance(known, Skipped):
        return Matched(known)
    if known is not None and known.up_to_number >= latest_number:
        return Matched(known, await _described(workers, fetched) if describing else None)

    try:
        newer_than = known.up_to_number if known is not None else 0
        newer, described = await match_unless_quarantined(
            store, workers, clock, fetched, newer_than, failed, describing=describing
        )
    except Unmatchable as error:
        skipped = Skipped("", error.reason, error.detail)
        await asyncio.to_thread(remember, skipped)
        return Matched(skipped)

    report = _joined(known, newer)
    if report.assets_searched < protected or report.up_to_number < latest_number:
        # Assets are published to the index before they count as protected. So if the index has fewer, or none as new,
        # it has lost some, or a process with another data folder has added them and they are not here yet.
        report = replace(report, partial=True)
    if not report.partial:
        # A partial report is not remembered, so that the next sighting is compared with all assets.
        await asyncio.to_thread(remember, report)
    return Matched(report, described)


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
