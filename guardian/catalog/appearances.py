"""Keeps the appearances of assets, which the search compares: written as assets are published, made good later."""

import asyncio
from collections.abc import Callable, Collection, Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.catalog.context import CatalogContext
from guardian.concurrency import run_all
from guardian.errors import GuardianError, IndexNotReady, WorkersUnavailable
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.image import decode_all
from guardian.matching.index.layout import Entry
from guardian.matching.settings import MatchingSettings
from guardian.model import Asset, AssetFilter

_BATCH = 256

log = structlog.get_logger(__name__)


def note_appearances(context: CatalogContext, entries: Sequence[Entry]) -> None:
    """Keep the appearances of assets that were just published.

    Without them assets are protected all the same, so that a full disk stops nothing here: `complete` makes them later.
    """
    known = context.appearances.numbers()
    rows = [
        (number, frame.appearance)
        for number, _, fingerprint in entries
        for frame in fingerprint.frames
        if frame.appearance is not None and number not in known
    ]
    try:
        context.appearances.publish(rows)
    except OSError as error:
        log.warning("appearances_not_kept", assets=len(entries), reason=str(error))


def withdraw(context: CatalogContext, numbers: Collection[int]) -> None:
    """Take the appearances of withdrawn assets out; no search names them any more, whether or not that succeeds."""
    try:
        context.appearances.withdraw(numbers)
    except (OSError, IndexNotReady) as error:
        log.warning("appearances_not_withdrawn", assets=len(numbers), reason=str(error))


def missing(context: CatalogContext) -> list[Asset]:
    """Return the protected assets that can be compared and have no appearance yet."""
    known = context.appearances.numbers()
    with context.store.read() as tx:
        lacking = [number for number in tx.compared_assets.matching(AssetFilter()) if number not in known]
        return list(tx.assets.of_numbers(lacking).values())


async def complete(context: CatalogContext, progress: Callable[[int, int], None]) -> None:
    """Make the appearances that are missing, from the originals, and take out those of withdrawn assets.

    Assets whose original cannot be read are left out. The catalogue's lock must be held.
    """
    wanted = await asyncio.to_thread(missing, context)
    for start in range(0, len(wanted), _BATCH):
        progress(start, len(wanted))
        found = await run_all(_made(context, asset) for asset in wanted[start : start + _BATCH])
        await asyncio.to_thread(context.appearances.publish, [row for rows in found for row in rows])
    progress(len(wanted), len(wanted))

    await asyncio.to_thread(_withdraw_gone, context)


def _withdraw_gone(context: CatalogContext) -> None:
    with context.store.read() as tx:
        compared = set(tx.compared_assets.matching(AssetFilter()))
    if gone := context.appearances.numbers() - compared:
        context.appearances.withdraw(gone)


async def _made(context: CatalogContext, asset: Asset) -> list[tuple[int, NDArray[np.uint8]]]:
    """Return the rows of one asset; none when its original cannot be read."""
    try:
        content = await asyncio.to_thread(context.originals.get, asset.sha256)
        made = await context.workers.run(appearances_in, context.workers.settings, content)
    except WorkersUnavailable:
        raise
    except GuardianError as error:
        log.warning("appearance_not_made", asset=asset.id, path=asset.path, reason=str(error))
        return []
    return [(asset.number, appearance) for appearance in made]


def appearances_in(settings: MatchingSettings, content: bytes) -> list[NDArray[np.uint8]]:
    """Return the appearances of a file's frames, uint8 [APPEARANCE_BYTES] each. Raises Unmatchable."""
    decoded = decode_all(content, settings)
    return [appearance_of(picture.rgb).values for picture in decoded.pictures]
