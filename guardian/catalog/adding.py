"""Protects files: prepares each, then reserves, publishes, protects and searches for a batch of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.catalog.context import CatalogContext
from guardian.catalog.details import ChangedDetail, changes, corrected
from guardian.catalog.looking_back import look_back, owe_look_back
from guardian.catalog.preparing import Known, Prepared, prepare
from guardian.catalog.publishing import protect_published, protect_unindexed, publish_entries
from guardian.catalog.results import Added, AddOutcome
from guardian.catalog.rights import filled
from guardian.catalog.self_check import is_unchecked, note_self_checks
from guardian.catalog.upkeep import rebuild
from guardian.catalog.wanted import Wanted, as_text
from guardian.concurrency import run_bounded
from guardian.errors import GuardianError, IndexNotReady
from guardian.model import Asset, AssetState, EarlierUse

log = structlog.get_logger(__name__)


class Adding:
    """One run of adding files; the lock of the catalogue must be held. `again`: protects removed assets too."""

    def __init__(self, context: CatalogContext, looked_at: Callable[[], None], *, again: bool) -> None:
        self._context, self._looked_at, self._again = context, looked_at, again
        # Of several files with the same bytes the first counts, or each run would change details to and fro.
        self._stated: set[str] = set()
        self.has_restored = False

    async def add(self, batch: Sequence[Wanted]) -> list[Added]:
        """Add some files together and return one result for each, in their order."""
        prepared = await run_bounded(batch, self._prepare_one, self._context.workers.count + 1)
        ready = [one for one in prepared if isinstance(one, Prepared)]
        known = [one for one in prepared if isinstance(one, Known)]
        self.has_restored |= any(one.restored for one in known)

        reserved = await asyncio.to_thread(_reserve, self._context, ready)
        fresh = {one.sha256: one for one in ready if reserved[one.sha256].state is AssetState.ADDING}
        nearly = await asyncio.to_thread(_nearly, self._context, list(fresh.values()), reserved)
        await self._publish(fresh, reserved)

        corrections = await asyncio.to_thread(self._correct, prepared)
        await self._search(fresh, known)
        earlier = await self._look_back(fresh, reserved)
        current = await asyncio.to_thread(_current, self._context, [one.sha256 for one in ready], known)
        results = _results(prepared, set(fresh), current, nearly, corrections)
        # Of several files with the same bytes only the first tells of it.
        return [
            replace(one, earlier=earlier.pop(one.asset.id, ())) if one.asset is not None else one for one in results
        ]

    async def _prepare_one(self, wanted: Wanted) -> Prepared | Known | Added:
        prepared = await prepare(self._context, wanted, again=self._again)
        self._looked_at()
        return prepared

    async def _publish(self, fresh: dict[str, Prepared], reserved: dict[str, Asset]) -> None:
        """Bring new assets into the index and protect them."""
        context = self._context
        entries = [
            (reserved[sha256].number, reserved[sha256].id, one.fingerprint)
            for sha256, one in fresh.items()
            if one.fingerprint is not None
        ]
        try:
            await publish_entries(context, entries)
            compared = [reserved[sha256] for sha256, one in fresh.items() if one.fingerprint is not None]
            await protect_published(context, compared)
        except IndexNotReady as error:
            # The list of segments was damaged while the assets were read.
            log.warning("index_rebuilt", reason=str(error))
            await rebuild(context)
        await protect_unindexed(context, [reserved[sha256] for sha256, one in fresh.items() if one.fingerprint is None])

    def _correct(self, prepared: Sequence[Prepared | Known | Added]) -> dict[int, tuple[ChangedDetail, ...]]:
        """Record what the owner now states otherwise of known assets; return the changes by place in the batch."""
        found: dict[int, tuple[ChangedDetail, ...]] = {}
        edited = []
        for place, one in enumerate(prepared):
            if isinstance(one, Added):
                continue
            sha256 = one.sha256 if isinstance(one, Prepared) else one.asset.sha256
            if isinstance(one, Known) and sha256 not in self._stated:
                after = corrected(one.asset, one.wanted)
                found[place] = changes(one.asset, after)
                if found[place]:
                    edited.append(after)
            self._stated.add(sha256)

        if edited:
            with self._context.store.begin() as tx:
                for asset in edited:
                    tx.assets.edit(asset)
        return found

    async def _search(self, fresh: dict[str, Prepared], known: Sequence[Known]) -> None:
        """Search for the new assets, and for known ones that never were searched for."""
        context = self._context
        current = await asyncio.to_thread(_current, context, list(fresh), known)
        copies = {sha256: one.quick_copy for sha256, one in fresh.items()}
        unchecked = [asset for asset in current.values() if is_unchecked(context, asset)]
        await note_self_checks(context, [(asset, copies.get(asset.sha256)) for asset in unchecked])

    async def _look_back(
        self, fresh: dict[str, Prepared], reserved: dict[str, Asset]
    ) -> dict[str, tuple[EarlierUse, ...]]:
        """Return where the memory has seen the new assets, by their ids; what fails now is done by the daemon."""
        found: dict[str, tuple[EarlierUse, ...]] = {}
        for sha256, one in fresh.items():
            if one.fingerprint is not None and self._context.memory is not None:
                asset = reserved[sha256]
                try:
                    found[asset.id] = await look_back(self._context, asset.id)
                except (GuardianError, OSError) as error:
                    log.warning("not_looked_back", asset=asset.id, reason=str(error))
        return found


def with_versions(context: CatalogContext, result: Added) -> Added:
    """Return the result with the other versions of the work that its asset is one of."""
    if result.asset is None:
        return result
    with context.store.read() as tx:
        work = tx.works.of_asset(result.asset.id)
    if work is None:
        return result
    return replace(result, versions=tuple(asset for asset in work.protected if asset.id != result.asset.id))


def _current(context: CatalogContext, sha256s: Sequence[str], known: Sequence[Known]) -> dict[str, Asset]:
    """Return assets as they are in the database now, by SHA-256."""
    with context.store.read() as tx:
        found = [tx.assets.by_sha256(sha256) for sha256 in {*sha256s, *(one.asset.sha256 for one in known)}]
    return {asset.sha256: asset for asset in found if asset is not None}


def _reserve(context: CatalogContext, ready: Sequence[Prepared]) -> dict[str, Asset]:
    """Reserve rows in one transaction; return them by SHA-256. The first of files with the same bytes counts."""
    reserved: dict[str, Asset] = {}
    if not ready:
        return reserved

    with context.store.begin() as tx:
        for one in ready:
            wanted, metadata = one.wanted, one.metadata
            if one.sha256 not in reserved:
                asset = tx.assets.reserve(
                    one.sha256,
                    title=wanted.title or metadata.title or as_text(Path(wanted.path.stem)),
                    collection=wanted.collection,
                    path=as_text(wanted.path),
                    size=one.size,
                    at=context.clock(),
                    tags=wanted.tags,
                    rights=filled(wanted.rights, metadata.rights),
                )
                if metadata.description != asset.description:
                    tx.assets.describe(asset.id, metadata.description)
                if one.fingerprint is None:
                    tx.assets.note_by_bytes_only(asset.id)
                elif context.memory is not None and asset.state is AssetState.ADDING:
                    owe_look_back(tx, asset.id, context.clock())
                reserved[one.sha256] = asset
    return reserved


def _nearly(
    context: CatalogContext, fresh: Sequence[Prepared], reserved: dict[str, Asset]
) -> dict[str, tuple[Asset, ...]]:
    """Return up to three earlier assets with nearly the same hash for each new one, the nearest first."""
    if not fresh:
        return {}
    indexed = context.index.contents(every_byte=False)
    most_bits = context.settings.near_identical_bits

    # Each new asset is compared with those before it in the batch, too. These are few: the index is copied for none.
    found: dict[str, tuple[Asset, ...]] = {}
    batch_hashes, batch_ids = np.zeros((0, indexed.hashes.shape[1]), np.uint8), list[str]()
    for one in fresh:
        if one.fingerprint is None:
            continue
        own_hash = one.fingerprint.hash
        near = _near_hashes(own_hash, indexed.hashes, indexed.ids, most_bits)
        near += _near_hashes(own_hash, batch_hashes, batch_ids, most_bits)
        near.sort(key=lambda pair: pair[0])
        # Frames of an animation are one asset.
        ids = list(dict.fromkeys(asset_id for _, asset_id in near))
        if ids:
            with context.store.read() as tx:
                assets = [tx.assets.get(asset_id) for asset_id in ids[:3]]
            found[one.sha256] = tuple(asset for asset in assets if asset is not None)

        batch_hashes = np.vstack([batch_hashes, own_hash])
        batch_ids.append(reserved[one.sha256].id)
    return found


def _near_hashes(
    own: NDArray[np.uint8], hashes: NDArray[np.uint8], ids: Sequence[str], most_bits: int
) -> list[tuple[int, str]]:
    """Return how many bits differ, and whose hash it is, for the hashes (uint8 [n, bytes]) that are near to one."""
    distances = np.bitwise_count(hashes ^ own).sum(axis=1)
    return [(int(distances[row]), ids[row]) for row in np.flatnonzero(distances <= most_bits).tolist()]


def _results(
    prepared: Sequence[Prepared | Known | Added],
    fresh: set[str],
    current: dict[str, Asset],
    nearly: dict[str, tuple[Asset, ...]],
    corrections: dict[int, tuple[ChangedDetail, ...]],
) -> list[Added]:
    """Return one result for each file. Of several files with the same bytes the first is new, the others are known."""
    results, told = [], set[str]()
    for place, one in enumerate(prepared):
        match one:
            case Added():
                results.append(one)
            case Known():
                changed = corrections.get(place, ())
                outcome = AddOutcome.CHANGED if changed else AddOutcome.KNOWN
                asset = current[one.asset.sha256]
                results.append(Added(one.wanted.path, outcome, asset, changes=changed, restored=one.restored))
            case Prepared():
                is_first = one.sha256 in fresh and one.sha256 not in told
                told.add(one.sha256)
                outcome = AddOutcome.PROTECTED if is_first else AddOutcome.KNOWN
                results.append(
                    Added(
                        one.wanted.path,
                        outcome,
                        current[one.sha256],
                        nearly=nearly.get(one.sha256, ()),
                        is_cut_off=one.metadata.is_cut_off,
                        not_compared=one.left_out,
                    )
                )
    return results
