"""Makes store, originals and index agree again after interruptions, damage, and changes made elsewhere.

Whoever calls these functions holds the lock of the catalogue, but for `agree`.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from guardian.catalog.appearances import note_appearances
from guardian.catalog.context import CatalogContext
from guardian.catalog.publishing import (
    LeftOut,
    entries_of,
    in_batches,
    merge_segments,
    note_hashes,
    protect_published,
    protect_unindexed,
    publish_originals,
    restore_original,
    warn_of_left_out,
    with_entries,
)
from guardian.catalog.works import look_for_all_works
from guardian.errors import IndexNotReady
from guardian.model import Asset, AssetState

Progress = Callable[[int, int], None]
"""Told how many assets are done, and of how many."""

log = structlog.get_logger(__name__)


async def repair(context: CatalogContext, *, every_byte: bool) -> int:
    """Make store and index agree; return how many assets were published again."""
    try:
        found = await asyncio.to_thread(context.index.contents, every_byte=every_byte)
    except IndexNotReady as error:
        log.warning("index_rebuilt", reason=str(error))
        return await rebuild(context)

    published = frozenset(found.numbers)
    adding = await asyncio.to_thread(_assets, context, AssetState.ADDING)
    protected = await asyncio.to_thread(_assets, context, AssetState.PROTECTED)
    wanted = {asset.number for asset in (*adding, *protected) if not asset.by_bytes_only}

    # In the index, but no asset that should be there: withdrawn while the index could not be written.
    if published - wanted:
        await asyncio.to_thread(context.index.withdraw, published - wanted)
    # In the index but not yet protected: interrupted between the two.
    await protect_published(context, [asset for asset in adding if asset.number in published])

    # Not in the index: lost by damage or added elsewhere, or interrupted before it was published.
    lost = [asset for asset in protected if asset.number in wanted - published]
    lost, away = await _within_reach(context, lost)
    _warn_of_assets_away(away)
    unfinished = await _unfinished(context, [asset for asset in adding if asset.number not in published])
    published_again = await publish_originals(context, [*lost, *unfinished])
    # After an upgrade to a higher WORK_RULE, assets that are alone in their work are compared once more.
    await look_for_all_works(context)
    return published_again


async def rebuild(
    context: CatalogContext,
    progress: Progress = lambda done, total: None,
    left_out: LeftOut = warn_of_left_out,
) -> int:
    """Rebuild the index from the originals; return how many assets it holds.

    Goes on without assets whose original is lost, and tells `left_out` of each.
    """
    unfinished = await _unfinished(context, await asyncio.to_thread(_assets, context, AssetState.ADDING))
    protected = [
        one for one in await asyncio.to_thread(_assets, context, AssetState.PROTECTED) if not one.by_bytes_only
    ]
    protected, away = await _within_reach(context, protected)
    for asset in away:
        left_out(asset, "its original is not in the data folder, nor is its file where it was added from")
    assets = [*protected, *unfinished]

    done, held = 0, list[Asset]()
    with context.index.rebuild() as publish:
        for batch in in_batches(assets, context.settings.batch * 8):
            progress(done, len(assets))
            entries = await entries_of(context, batch, left_out)
            await asyncio.to_thread(publish, entries)
            await note_hashes(context, entries)
            await asyncio.to_thread(note_appearances, context, entries)
            held += with_entries(batch, entries)
            done += len(batch)

    await protect_published(context, held)
    await merge_segments(context)
    progress(done, len(assets))
    return len(held)


def agree(context: CatalogContext) -> bool:
    """Return whether the index holds exactly the protected assets and no addition is left unfinished."""
    try:
        published = set(context.index.contents(every_byte=False).numbers)
    except IndexNotReady:
        return False
    protected = {asset.number for asset in _assets(context, AssetState.PROTECTED) if not asset.by_bytes_only}
    return published == protected and not _kept_here(context, _assets(context, AssetState.ADDING))


def _assets(context: CatalogContext, state: AssetState) -> list[Asset]:
    with context.store.read() as tx:
        return tx.assets.list(state=state)


def _kept_here(context: CatalogContext, assets: Sequence[Asset]) -> list[Asset]:
    """Return those whose original is in this data folder; the others are being added by processes elsewhere."""
    return [asset for asset in assets if context.originals.holds(asset.sha256)]


async def _within_reach(context: CatalogContext, assets: Sequence[Asset]) -> tuple[list[Asset], list[Asset]]:
    """Return those whose original is kept here or can be copied from where it was added from, and the others.

    The others were added on another machine, or both their files are lost.
    """

    def fetch(asset: Asset) -> bool:
        return context.originals.holds(asset.sha256) or restore_original(context, asset)

    here, away = list[Asset](), list[Asset]()
    for asset in assets:
        (here if await asyncio.to_thread(fetch, asset) else away).append(asset)
    return here, away


def _warn_of_assets_away(assets: Sequence[Asset]) -> None:
    if assets:
        log.warning("assets_out_of_reach", assets=len(assets), such_as=assets[0].path, now="answers are partial")


async def _unfinished(context: CatalogContext, adding: Sequence[Asset]) -> list[Asset]:
    """Return assets whose adding was interrupted before the index had them, under new numbers.

    Newer assets may have been published meanwhile: answers "up to number n" never compared these. Those that need
    no index are protected at once.
    """
    kept = _kept_here(context, adding)
    await protect_unindexed(context, [asset for asset in kept if asset.by_bytes_only])
    return await asyncio.to_thread(_renumbered, context, [asset for asset in kept if not asset.by_bytes_only])


def _renumbered(context: CatalogContext, assets: Sequence[Asset]) -> list[Asset]:
    """Give assets new numbers, above all others; return them with these."""
    if not assets:
        return []
    with context.store.begin() as tx:
        return [tx.assets.renumber(asset.id) for asset in assets]
