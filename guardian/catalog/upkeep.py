"""Makes store, originals and index agree again after interruptions, damage, and changes made elsewhere.

Whoever calls these functions holds the lock of the catalogue, but for `agree`.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from guardian.catalog.context import CatalogContext
from guardian.catalog.publishing import entries_of, in_batches, note_hashes, protect_published, publish_originals
from guardian.catalog.works import look_for_all_works
from guardian.errors import FetchFailed, FetchRefused, IndexNotReady
from guardian.fetch import local
from guardian.matching.index.writer import MAX_SEGMENTS
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
        return await rebuild(context, within_reach=True)

    published = frozenset(found.numbers)
    adding = await asyncio.to_thread(_assets, context, AssetState.ADDING)
    protected = await asyncio.to_thread(_assets, context, AssetState.PROTECTED)
    wanted = {asset.number for asset in (*adding, *protected)}

    # In the index but not wanted: withdrawn while the index could not be written.
    if published - wanted:
        await asyncio.to_thread(context.index.withdraw, published - wanted)
    # In the index but not yet protected: interrupted between the two.
    await protect_published(context, [asset for asset in adding if asset.number in published])

    # Not in the index: lost by damage or added elsewhere, or interrupted before it was published.
    lost = await _within_reach(context, [asset for asset in protected if asset.number not in published])
    unfinished = _kept_here(context, [asset for asset in adding if asset.number not in published])
    # Newer assets may have been published meanwhile: answers "up to number n" never compared these.
    renumbered = await asyncio.to_thread(_renumbered, context, unfinished)

    await publish_originals(context, [*lost, *renumbered])
    # After an update of guardian nobody has looked for the works of any.
    await look_for_all_works(context)
    return len(lost) + len(renumbered)


async def rebuild(
    context: CatalogContext, progress: Progress = lambda done, total: None, *, within_reach: bool = False
) -> int:
    """Rebuild the index from the originals; return how many assets it holds.

    `within_reach` leaves out assets whose original cannot be read; otherwise that raises GuardianError.
    """
    unfinished = _kept_here(context, await asyncio.to_thread(_assets, context, AssetState.ADDING))
    protected = await asyncio.to_thread(_assets, context, AssetState.PROTECTED)
    if within_reach:
        protected = await _within_reach(context, protected)
    assets = [*protected, *await asyncio.to_thread(_renumbered, context, unfinished)]

    done = 0
    with context.index.rebuild() as publish:
        # Large batches make few segments, since each segment costs every search a little.
        batch_size = max(context.settings.batch * 8, -(-len(assets) // MAX_SEGMENTS))
        for batch in in_batches(assets, batch_size):
            progress(done, len(assets))
            entries = await entries_of(context, batch)
            publish(entries)
            await note_hashes(context, entries)
            done += len(batch)

    await protect_published(context, assets)
    progress(done, len(assets))
    return done


def agree(context: CatalogContext) -> bool:
    """Return whether the index holds exactly the protected assets and no addition is left unfinished."""
    try:
        published = set(context.index.contents(every_byte=False).numbers)
    except IndexNotReady:
        return False
    protected = {asset.number for asset in _assets(context, AssetState.PROTECTED)}
    return published == protected and not _kept_here(context, _assets(context, AssetState.ADDING))


def _assets(context: CatalogContext, state: AssetState) -> list[Asset]:
    with context.store.read() as tx:
        return tx.assets.list(state=state)


def _kept_here(context: CatalogContext, assets: Sequence[Asset]) -> list[Asset]:
    """Return those whose original is in this data folder; the others are being added by processes elsewhere."""
    return [asset for asset in assets if context.originals.holds(asset.sha256)]


async def _within_reach(context: CatalogContext, assets: Sequence[Asset]) -> list[Asset]:
    """Return those whose original is kept here, or can be copied from where it was added from.

    The others were added on another machine: answers are partial without them, and a warning is logged.
    """

    def fetch(asset: Asset) -> bool:
        if context.originals.holds(asset.sha256):
            return True
        try:
            content = local.read(Path(asset.path).as_uri(), context.max_bytes).content
        except (FetchFailed, FetchRefused, ValueError):
            return False
        if hashlib.sha256(content).hexdigest() != asset.sha256:
            # Another picture is at this path now, or always was on this machine.
            return False
        context.originals.keep(content)
        return True

    found = [asset for asset in assets if await asyncio.to_thread(fetch, asset)]
    if len(found) < len(assets):
        known = {asset.id for asset in found}
        missing = [asset for asset in assets if asset.id not in known]
        log.warning("assets_out_of_reach", assets=len(missing), such_as=missing[0].path, now="answers are partial")
    return found


def _renumbered(context: CatalogContext, assets: Sequence[Asset]) -> list[Asset]:
    """Give assets new numbers, above all others; return them with these."""
    if not assets:
        return []
    with context.store.begin() as tx:
        return [tx.assets.renumber(asset.id) for asset in assets]
