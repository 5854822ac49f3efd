"""Brings assets whose originals are kept into the index, and marks them as protected."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from guardian.catalog.context import CatalogContext
from guardian.catalog.works import look_for_works
from guardian.errors import GuardianError, Unmatchable, WorkerLost
from guardian.matching.index.layout import Entry
from guardian.model import Asset, AssetState

T = TypeVar("T")
R = TypeVar("R")


async def publish_originals(context: CatalogContext, assets: Sequence[Asset]) -> None:
    """Publish assets, fingerprinted again from their originals, and protect them.

    Raises GuardianError when an original cannot be read, IndexNotReady.
    """
    for batch in in_batches(assets, context.settings.batch):
        entries = await entries_of(context, batch)
        await publish_entries(context, entries)
        await protect_published(context, batch)


async def publish_entries(context: CatalogContext, entries: Sequence[Entry]) -> None:
    """Publish entries in the index and note their perceptual hashes. Raises IndexNotReady."""
    await asyncio.to_thread(context.index.publish, entries)
    await note_hashes(context, entries)


async def entries_of(context: CatalogContext, assets: Sequence[Asset]) -> list[Entry]:
    """Return index entries of assets, fingerprinted again from their originals.

    Raises GuardianError when an original cannot be read.
    """

    async def entry(asset: Asset) -> Entry:
        content = await asyncio.to_thread(context.originals.get, asset.sha256)
        try:
            return asset.number, asset.id, await context.workers.fingerprint(content)
        except (Unmatchable, WorkerLost) as error:
            raise GuardianError(
                f"{asset.id} ({asset.path}) was protected before and cannot be read now: {error}; "
                f"`guardian asset remove {asset.id}` takes it out"
            ) from error

    return await a_few_at_a_time(assets, entry, context.workers.count + 1)


async def protect_published(context: CatalogContext, assets: Sequence[Asset]) -> None:
    """Mark published assets as protected, in the order of their numbers over all data folders.

    Pictures that were compared "up to number n" are never compared with numbers below n again. So an asset is
    published again under a new number when a later one, added elsewhere, was protected before it.

    Their works are looked for before: a scan that runs at the same time must not take a new version for a new work.
    """
    await look_for_works(context, assets)
    while overtaken := await asyncio.to_thread(_protect, context, assets):
        before = {asset.id: asset.number for asset in assets}
        await asyncio.to_thread(context.index.publish, await entries_of(context, overtaken))
        await asyncio.to_thread(context.index.withdraw, frozenset(before[one.id] for one in overtaken))
        assets = overtaken


def _protect(context: CatalogContext, assets: Sequence[Asset]) -> list[Asset]:
    """Mark assets as protected; return those that got a new number instead, because a later one was first."""
    if not assets:
        return []

    with context.store.begin() as tx:
        latest = tx.assets.latest_number_for_writing()
        known = [asset for asset in (tx.assets.get(one.id) for one in assets) if asset is not None]
        adding = [asset for asset in known if asset.state is AssetState.ADDING]
        tx.assets.protect([asset.number for asset in adding if asset.number > latest])
        return [tx.assets.renumber(asset.id) for asset in adding if asset.number < latest]


async def note_hashes(context: CatalogContext, entries: Sequence[Entry]) -> None:
    """Store the perceptual hashes of assets; those of earlier versions get theirs when fingerprinted again."""

    def note() -> None:
        with context.store.begin() as tx:
            for number, _, fingerprint in entries:
                if fingerprint.perceptual_hash is not None:
                    tx.assets.note_perceptual_hash(number, fingerprint.perceptual_hash)

    await asyncio.to_thread(note)


def in_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in groups of `size`, the last one perhaps smaller."""
    return (items[start : start + size] for start in range(0, len(items), size))


async def a_few_at_a_time(items: Sequence[T], work: Callable[[T], Awaitable[R]], at_once: int) -> list[R]:
    """Do `work` for each item, `at_once` at a time; return the results in order. Raises the first error."""
    slots = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with slots:
            return await work(item)

    return await asyncio.gather(*(one(item) for item in items))
