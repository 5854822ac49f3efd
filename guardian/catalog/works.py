"""Finds the works of assets: an asset that shows the same whole picture as another becomes part of its work.

Hashes say which assets may be versions of one picture; whether they are, the matcher says, by the pixels of both
originals. It only ever joins: what a person has split stays apart, and what a person has joined stays together.
Whoever calls this holds the lock of the catalogue.
"""

import asyncio
from collections.abc import Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian import cases
from guardian.catalog.context import CatalogContext
from guardian.errors import GuardianError, WorkerLost, WorkersUnavailable
from guardian.matching.features.hashing import nearest_orientation, turned_hashes
from guardian.model import Asset, Work
from guardian.store import Transaction

WORK_RULE = 1
"""The version of the rules in this file. After an upgrade to a higher one, assets that are alone in their work are
compared once more."""

MAYBE_ALIKE_BITS = 72
"""Hashes of versions of one picture differ in fewer of 256 bits, in the best of eight orientations."""

_MOST_COMPARED = 8
"""How many assets are compared with a new one, nearest hash first: filled-in forms of one template all have nearly
the same hash."""

log = structlog.get_logger(__name__)


class _NotNow(Exception):
    """No worker could compare, which says nothing of the pictures."""


class _Hashes:
    """The hashes of the indexed assets, uint8 [n, 32], and the ids of the assets."""

    def __init__(self, hashes: NDArray[np.uint8], ids: Sequence[str]) -> None:
        self._hashes, self._ids = hashes, ids
        self._rows = {id_: row for row, id_ in enumerate(ids)}

    def alike(self, asset_id: str) -> list[str]:
        """Return the assets whose hash is near that of this one, the nearest first; none when it is not indexed."""
        if asset_id not in self._rows:
            return []

        distances, _ = nearest_orientation(turned_hashes(self._hashes[self._rows[asset_id]]), self._hashes)
        rows = np.flatnonzero(distances <= MAYBE_ALIKE_BITS)
        nearest = rows[np.argsort(distances[rows], kind="stable")]
        return [self._ids[row] for row in nearest if self._ids[row] != asset_id]


async def look_for_works(context: CatalogContext, assets: Sequence[Asset]) -> int:
    """Look for the works of these assets, in their order; return how many joined one.

    Each is compared with those whose work was looked for before. Left out are assets that have been looked at by this
    version of the rule, or whose original is not in this data folder: they are looked at where it is. What no worker
    could compare now is looked at again the next time.
    """
    sought = await asyncio.to_thread(_sought, context)
    due = [asset for asset in assets if asset.id not in sought and context.originals.holds(asset.sha256)]
    if not due:
        return 0

    hashes = await asyncio.to_thread(_hashes, context)
    alone: list[str] = []
    joined = 0
    for asset in due:
        alike = [id_ for id_ in hashes.alike(asset.id) if id_ in sought][:_MOST_COMPARED]
        try:
            work = await _work_for(context, asset, alike) if alike and context.settings.join_versions else None
        except _NotNow as error:
            log.warning("work_not_looked_for", asset=asset.id, reason=str(error))
            continue
        if work is None:
            alone.append(asset.id)
        else:
            joined += await asyncio.to_thread(_join, context, asset, work)
        sought.add(asset.id)

    # Together, since nearly every asset is alone, and each transaction waits for the disk.
    await asyncio.to_thread(_note_sought, context, alone)
    return joined


async def look_for_all_works(context: CatalogContext) -> int:
    """Look for the works of all protected assets for which nobody has yet, as after an update of guardian."""

    def unsought() -> list[Asset]:
        with context.store.read() as tx:
            return tx.works.unsought(WORK_RULE)

    joined = await look_for_works(context, await asyncio.to_thread(unsought))
    if joined:
        log.info("versions_joined", assets=joined, see="`guardian work list`")
    return joined


async def _work_for(context: CatalogContext, asset: Asset, alike: Sequence[str]) -> Work | None:
    """Return the work whose picture an asset shows, one of those of the assets `alike`; None when there is none.

    Raises _NotNow.
    """
    for work, others in await asyncio.to_thread(_candidates, context, asset, alike):
        # Each must agree: a small version of one of two forms of a template may look like both.
        if others and all([await _is_same(context, asset, other) for other in others]):
            return work
    return None


def _candidates(context: CatalogContext, asset: Asset, alike: Sequence[str]) -> list[tuple[Work, list[Asset]]]:
    """Return the works that an asset may belong to, the likeliest first, each with the assets to compare it with."""
    with context.store.read() as tx:
        own = tx.works.of_asset(asset.id)
        if own is None or len(own.assets) > 1:
            # It was joined to other assets before, by a person or by an earlier comparison.
            return []

        found: dict[str, tuple[Work, list[Asset]]] = {}
        for id_ in alike:
            work = tx.works.of_asset(id_)
            if work is not None and not _are_parted(tx, asset, work):
                others = found.setdefault(work.id, (work, []))[1]
                others.extend(one for one in work.assets if one.id == id_ and context.originals.holds(one.sha256))
    return list(found.values())


async def _is_same(context: CatalogContext, asset: Asset, other: Asset) -> bool:
    """Return whether two assets show the same whole picture, by their originals; False when one cannot be read.

    Raises _NotNow.
    """
    try:
        mine = await asyncio.to_thread(context.originals.get, asset.sha256)
        theirs = await asyncio.to_thread(context.originals.get, other.sha256)
        return await context.workers.is_same_picture(mine, theirs)
    except WorkersUnavailable as error:
        raise _NotNow(str(error)) from error
    except GuardianError as error:
        if isinstance(error, WorkerLost) and error.failures == 0:
            raise _NotNow(str(error)) from error
        log.warning("versions_not_compared", asset=asset.id, other=other.id, reason=str(error))
        return False


def _join(context: CatalogContext, asset: Asset, work: Work) -> bool:
    """Make an asset part of a work; return False when a person decided otherwise while the pictures were compared."""

    def join(tx: Transaction) -> bool:
        tx.works.note_sought([asset.id], WORK_RULE)
        own, kept = tx.works.of_asset(asset.id), tx.works.get(work.id)
        if own is None or kept is None or own.id == kept.id or len(own.assets) > 1 or _are_parted(tx, asset, kept):
            return False
        cases.join_works(tx, kept, own, by=None, at=context.clock())
        return True

    return context.store.run(join)


def _are_parted(tx: Transaction, asset: Asset, work: Work) -> bool:
    """Return whether a person has split an asset from one of this work."""
    ids = {one.id for one in work.assets}
    return any({pair.asset_id, pair.other_id} & ids for pair in tx.works.parted_from(asset.id))


def _sought(context: CatalogContext) -> set[str]:
    with context.store.read() as tx:
        return set(tx.works.sought(WORK_RULE))


def _note_sought(context: CatalogContext, asset_ids: Sequence[str]) -> None:
    if asset_ids:
        with context.store.begin() as tx:
            tx.works.note_sought(asset_ids, WORK_RULE)


def _hashes(context: CatalogContext) -> _Hashes:
    contents = context.index.contents(every_byte=False)
    return _Hashes(contents.hashes, contents.ids)
