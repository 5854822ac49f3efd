"""Brings assets whose originals are kept into the index, and marks them as protected."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from guardian.catalog.appearances import note_appearances
from guardian.catalog.context import CatalogContext
from guardian.catalog.works import look_for_works
from guardian.concurrency import run_bounded
from guardian.errors import (
    FetchFailed,
    FetchRefused,
    GuardianError,
    TooPlain,
    Unmatchable,
    WorkerLost,
    WorkersUnavailable,
)
from guardian.fetch import local
from guardian.matching.index.layout import Entry
from guardian.model import Asset, AssetState

LeftOut = Callable[[Asset, str], None]
"""Told of an asset that cannot be indexed, and why."""

_FIRST_BATCH = 8

log = structlog.get_logger(__name__)
T = TypeVar("T")


def warn_of_left_out(asset: Asset, reason: str) -> None:
    """Log that an asset cannot be indexed. Answers say `partial` while one is missing from the index."""
    log.warning("asset_not_indexed", asset=asset.id, path=asset.path, reason=reason, now="answers are partial")


async def publish_originals(context: CatalogContext, assets: Sequence[Asset]) -> int:
    """Publish assets, fingerprinted again from their originals, and protect them; return how many.

    Those whose original cannot be read are left out, with a warning. Raises IndexNotReady.
    """
    published = 0
    for batch in in_batches(assets, context.settings.batch):
        entries = await entries_of(context, batch)
        await publish_entries(context, entries)
        await protect_published(context, with_entries(batch, entries))
        published += len(entries)
    await merge_segments(context)
    return published


async def merge_segments(context: CatalogContext, *, erase: bool = False) -> None:
    """Join segments of the index that have become many, and write again those of which much is withdrawn.

    Each costs every search a little. With `erase` nothing withdrawn stays in any segment. Called when new assets
    answer already. What cannot be done now is done the next time. Raises IndexNotReady.
    """
    try:
        while await asyncio.to_thread(context.index.merge, erase=erase):
            pass
    except OSError as error:
        now = "withdrawn assets answer no more, but are still on disk" if erase else "searching takes a little longer"
        log.warning("index_not_merged", reason=str(error), now=now)


async def publish_entries(context: CatalogContext, entries: Sequence[Entry]) -> None:
    """Publish entries in the index, note their perceptual hashes and appearances. Raises IndexNotReady."""
    await asyncio.to_thread(context.index.publish, entries)
    await note_hashes(context, entries)
    await asyncio.to_thread(note_appearances, context, entries)


async def entries_of(
    context: CatalogContext, assets: Sequence[Asset], left_out: LeftOut = warn_of_left_out
) -> list[Entry]:
    """Return index entries of assets, fingerprinted again from their originals.

    Those that have become too plain to be compared are found by their bytes only from now on. `left_out` is told of
    those whose original is missing, damaged, or cannot be read any more.
    """

    async def entry(asset: Asset) -> Entry | None:
        try:
            content = await asyncio.to_thread(_original, context, asset)
            return asset.number, asset.id, await context.workers.fingerprint(content)
        except TooPlain:
            await asyncio.to_thread(_find_by_bytes_only, context, asset)
            return None
        except WorkersUnavailable:
            raise
        except (Unmatchable, WorkerLost) as error:
            if isinstance(error, WorkerLost) and error.failures == 0:
                # Its worker was killed from outside, which says nothing of the asset.
                left_out(asset, f"{error}; `guardian index rebuild` tries again")
                return None
            left_out(
                asset,
                f"it was protected before and cannot be read now: {error}; "
                f"`guardian asset remove {asset.id}` takes it out",
            )
            return None
        except GuardianError as error:
            left_out(asset, f"{error}; adding its file again restores it")
            return None

    entries = await run_bounded(assets, entry, context.workers.count + 1)
    return [one for one in entries if one is not None]


def _original(context: CatalogContext, asset: Asset) -> bytes:
    """Return the bytes of an asset's original, restored if need be. Raises GuardianError when that cannot be."""
    try:
        return context.originals.get(asset.sha256)
    except GuardianError:
        if not restore_original(context, asset):
            raise
        return context.originals.get(asset.sha256)


def restore_original(context: CatalogContext, asset: Asset) -> bool:
    """Keep the original of an asset again, from the file that it was added from; return whether that is there."""
    try:
        content = local.read(Path(asset.path).as_uri(), context.max_bytes).content
    except (FetchFailed, FetchRefused, ValueError):
        return False
    if hashlib.sha256(content).hexdigest() != asset.sha256:
        # Another picture is at this path now, or always was on this machine.
        return False
    context.originals.keep(content)
    return True


def with_entries(assets: Sequence[Asset], entries: Sequence[Entry]) -> list[Asset]:
    """Return the assets that have one of these entries."""
    numbers = {number for number, _, _ in entries}
    return [asset for asset in assets if asset.number in numbers]


async def protect_published(context: CatalogContext, assets: Sequence[Asset]) -> None:
    """Mark published assets as protected, in the order of their numbers over all data folders.

    Pictures that were compared "up to number n" are never compared with numbers below n again. So an asset is
    published again under a new number when a later one, added elsewhere, was protected before it.

    Their works are looked for before: a scan that runs at the same time must not take a new version for a new work.
    """
    await look_for_works(context, assets)
    while overtaken := await asyncio.to_thread(_protect, context, assets):
        before = {asset.id: asset.number for asset in assets}
        entries = await entries_of(context, overtaken)
        await asyncio.to_thread(context.index.publish, entries)
        await asyncio.to_thread(note_appearances, context, entries)
        await asyncio.to_thread(context.index.withdraw, frozenset(before[one.id] for one in overtaken))
        assets = with_entries(overtaken, entries)


def _protect(context: CatalogContext, assets: Sequence[Asset]) -> list[Asset]:
    """Mark assets as protected; return those that got a new number instead, because a later one was first."""
    if not assets:
        return []

    with context.store.begin() as tx:
        latest = tx.compared_assets.latest_number_for_writing()
        known = [asset for asset in (tx.assets.get(one.id) for one in assets) if asset is not None]
        adding = [asset for asset in known if asset.state is AssetState.ADDING]
        tx.assets.protect([asset.number for asset in adding if asset.number > latest])
        return [tx.assets.renumber(asset.id) for asset in adding if asset.number < latest]


async def protect_unindexed(context: CatalogContext, assets: Sequence[Asset]) -> None:
    """Mark assets as protected that are found by their bytes only: no index has to hold them first."""

    def protect() -> None:
        with context.store.begin() as tx:
            tx.assets.protect([asset.number for asset in assets])

    if assets:
        await asyncio.to_thread(protect)


def _find_by_bytes_only(context: CatalogContext, asset: Asset) -> None:
    with context.store.begin() as tx:
        tx.assets.note_by_bytes_only(asset.id)
        tx.assets.protect([asset.number])


async def note_hashes(context: CatalogContext, entries: Sequence[Entry]) -> None:
    """Store the perceptual hashes of assets; those of earlier versions get theirs when fingerprinted again."""

    def note() -> None:
        with context.store.begin() as tx:
            for number, _, fingerprint in entries:
                if fingerprint.perceptual_hash is not None:
                    tx.assets.note_perceptual_hash(number, fingerprint.perceptual_hash)

    await asyncio.to_thread(note)


def in_growing_batches(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Yield the items in groups that double from a few up to `most`, so that the first are done soon."""
    start, size = 0, min(_FIRST_BATCH, most)
    while start < len(items):
        yield items[start : start + size]
        start, size = start + size, min(size * 2, most)


def in_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in groups of `size`, the last one perhaps smaller."""
    return (items[start : start + size] for start in range(0, len(items), size))
