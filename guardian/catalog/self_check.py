"""Searches for assets by easy copies of them, right after they were added: protected means findable.

The asset's own file needs no search, since its digest is known. First one quick search for a copy that is both at half
its size and recompressed, at a few milliseconds. Only where that is not enough each copy is searched for in full.
"""

import asyncio
from collections.abc import Sequence

import structlog

from guardian.catalog.context import CatalogContext
from guardian.concurrency import run_bounded
from guardian.errors import GuardianError, TooPlain, TooSmall
from guardian.model import Asset, MatchReport, SelfCheck, Weakness

FEW_KEYPOINTS = 100
"""An asset has up to 800 keypoints; copies of one that has fewer than these are found by luck."""

_RESEMBLES = 0.1
"""From this probability on, another asset is named as one that an asset's copies resemble."""

log = structlog.get_logger(__name__)


async def note_self_checks(context: CatalogContext, wanted: Sequence[tuple[Asset, bytes | None]]) -> None:
    """Search for assets and keep what came of it. Each comes with its quick copy, or None to make copies of it.

    An asset that could not be searched for, because a worker or the index was lost, stays unchecked.
    """

    async def check(one: tuple[Asset, bytes | None]) -> SelfCheck | None:
        return await _checked(context, *one)

    found = await run_bounded(wanted, check, context.workers.count + 1)

    def note() -> None:
        with context.store.begin() as tx:
            for (asset, _), self_check in zip(wanted, found, strict=True):
                if self_check is not None:
                    tx.assets.note_self_check(asset.id, self_check)

    if wanted:
        await asyncio.to_thread(note)


def is_unchecked(context: CatalogContext, asset: Asset) -> bool:
    """Return whether an asset was not searched for by the present recipe."""
    return asset.self_check is None or asset.self_check.recipe != context.workers.report_recipe


async def _checked(context: CatalogContext, asset: Asset, quick_copy: bytes | None) -> SelfCheck | None:
    """Return what comes of searching for one asset; None when it cannot be told now."""
    recipe = context.workers.report_recipe
    if asset.by_bytes_only:
        return SelfCheck(recipe, None, Weakness.TOO_PLAIN)
    try:
        if quick_copy is not None:
            report = await context.workers.match(quick_copy, quick=True)
            probability = _found(report, asset)
            if probability >= context.settings.found_from:
                return SelfCheck(recipe, probability)
        return await _thoroughly_checked(context, asset)
    except TooSmall as error:
        return SelfCheck(recipe, None, Weakness.TOO_SMALL, error.detail)
    except TooPlain as error:
        return SelfCheck(recipe, None, Weakness.TOO_PLAIN, error.detail)
    except GuardianError as error:
        # A worker or the index was lost, or the original is; the next `asset add` of this file tries again.
        log.warning("asset_not_searched_for", asset=asset.id, path=asset.path, reason=str(error))
        return None


async def _thoroughly_checked(context: CatalogContext, asset: Asset) -> SelfCheck:
    """Search for each copy of an asset in full; say why when one is not found."""
    content = await asyncio.to_thread(context.originals.get, asset.sha256)
    half_size, recompressed = [await context.workers.match(copy) for copy in await context.workers.easy_copies(content)]
    found = (_found(half_size, asset), _found(recompressed, asset))
    recipe, least = context.workers.report_recipe, min(found)
    if least >= context.settings.found_from:
        return SelfCheck(recipe, least)

    keypoints = len((await context.workers.fingerprint(content)).points)
    others = _others([half_size, recompressed], asset)
    measured = f"{found[0]:.2f} sure at half its size, {found[1]:.2f} recompressed; {keypoints} keypoints"
    if keypoints < FEW_KEYPOINTS:
        return SelfCheck(recipe, least, Weakness.FEW_DETAILS, measured)
    if others:
        return SelfCheck(recipe, least, Weakness.SHARED, f"{measured}; also like {', '.join(others)}")
    return SelfCheck(recipe, least, Weakness.UNCERTAIN, measured)


def _found(report: MatchReport, asset: Asset) -> float:
    """Return the probability (0-1) with which a copy was found: as this asset, or as another of the same picture."""
    shown_whole = [
        match.comparison.probability
        for match in report.matches
        if match.asset_id == asset.id or match.comparison.shows_whole
    ]
    return max(shown_whole, default=0.0)


def _others(reports: Sequence[MatchReport], asset: Asset) -> list[str]:
    """Return the ids of up to three other assets that copies of this one resemble at least as much."""
    ids: dict[str, None] = {}
    for report in reports:
        own = next((one.comparison.probability for one in report.matches if one.asset_id == asset.id), 0.0)
        for match in report.matches:
            if match.asset_id != asset.id and match.comparison.probability >= max(own, _RESEMBLES):
                ids[match.asset_id] = None
    return list(ids)[:3]
