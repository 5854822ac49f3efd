"""Matches a picture with the protected assets, or returns the report of an earlier match."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from guardian.errors import StoreUnusable, Unmatchable
from guardian.matching.workers import Workers
from guardian.model import Fetched, MatchReport, QuarantinedImage, Skipped
from guardian.scan.context import CHECK
from guardian.scan.image_quarantine import match_unless_quarantined
from guardian.store import Store


async def match_image(
    store: Store, workers: Workers, clock: Callable[[], datetime], fetched: Fetched
) -> MatchReport | Skipped:
    """Return the matcher's report about these bytes, or a Skipped that says why they cannot be matched.

    Bytes that were matched before are compared only with assets that were added since. Either answer is remembered
    until the recipe changes, which names how features are made. Raises IndexNotReady, WorkersUnavailable, WorkerLost.
    """

    def recall() -> tuple[MatchReport | Skipped | None, QuarantinedImage | None, int, int]:
        with store.read() as tx:
            known = tx.candidates.known(fetched.sha256, workers.report_recipe)
            failed = tx.quarantine.known(fetched.sha256, workers.report_recipe)
            return known, failed, tx.assets.latest_number(), tx.assets.count_compared()

    def remember(answer: MatchReport | Skipped) -> None:
        try:
            with store.begin() as tx:
                tx.candidates.remember(fetched.sha256, workers.report_recipe, answer, clock())
        except StoreUnusable:
            # A check only asks, also where the database cannot be written: it does without the cache then.
            if fetched.sighting.source != CHECK:
                raise

    known, failed, latest_number, protected = await asyncio.to_thread(recall)
    if isinstance(known, Skipped):
        return known
    if known is not None and known.up_to_number >= latest_number:
        return known

    try:
        newer_than = known.up_to_number if known is not None else 0
        newer = await match_unless_quarantined(store, workers, clock, fetched, newer_than, failed)
    except Unmatchable as error:
        skipped = Skipped("", error.reason, error.detail)
        await asyncio.to_thread(remember, skipped)
        return skipped

    report = _joined(known, newer)
    if report.assets_searched < protected or report.up_to_number < latest_number:
        # Assets are published to the index before they count as protected. So if the index has fewer, or none as new,
        # it has lost some, or a process with another data folder has added them and they are not here yet.
        report = replace(report, partial=True)
    if not report.partial:
        # A partial report is not remembered, so that the next sighting is compared with all assets.
        await asyncio.to_thread(remember, report)
    return report


def _joined(known: MatchReport | None, newer: MatchReport) -> MatchReport:
    """Return one report of both, ranked by probability; for an asset in both the newer measurement counts."""
    if known is None:
        return newer

    measured_again = {match.asset_id for match in newer.matches}
    kept = [match for match in known.matches if match.asset_id not in measured_again]
    ranked = sorted([*kept, *newer.matches], key=lambda match: -match.comparison.probability)
    return replace(newer, matches=tuple(ranked))
