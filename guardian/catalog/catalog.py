"""Adds and withdraws assets, so that store, originals and index agree whatever interrupts it.

An asset is first kept (its bytes), then reserved (a row, state "adding"), then published (the index), then
protected (the row). `repair` finishes whatever an interruption left half done. Machines that share a database have
an index and originals each: `follow` brings this one up to date with what others added and withdrew.
"""

import asyncio
import hashlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog

from guardian.catalog.rights import FileMetadata, filled, read_metadata
from guardian.catalog.settings import CatalogSettings
from guardian.catalog.wanted import Wanted, as_text
from guardian.disk_errors import refuse_root_in
from guardian.errors import (
    AlreadyRunning,
    FetchFailed,
    FetchRefused,
    GuardianError,
    IndexNotReady,
    Unmatchable,
    WorkerLost,
)
from guardian.evidence import Vault
from guardian.fetch import local
from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.index.layout import Entry
from guardian.matching.index.writer import MAX_SEGMENTS, IndexWriter
from guardian.matching.workers import Workers
from guardian.model import Asset, AssetState, Skipped
from guardian.store import Store, hold, hold_when_free

ROLE = "catalog"
"""The lock under which assets are added: one process at a time."""

log = structlog.get_logger(__name__)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding one file.

    `asset` is None exactly when `problem` says why it is not protected. `was_known`: the same bytes were protected
    before. `nearly`: assets that look almost the same, most similar first.
    """

    path: Path
    asset: Asset | None = None
    problem: Skipped | None = None
    unmatchable: bool = False
    was_known: bool = False
    nearly: tuple[Asset, ...] = ()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A readable, matchable file, fingerprinted and kept."""

    wanted: Wanted
    sha256: str
    fingerprint: Fingerprint
    metadata: FileMetadata


class Catalog:
    """The catalogue over one store, one index and one folder of originals.

    Several processes may work on it; one at a time, by a lock on the data folder, changes the index.
    """

    def __init__(
        self,
        store: Store,
        workers: Workers,
        data_dir: Path,
        settings: CatalogSettings,
        clock: Callable[[], datetime],
        max_bytes: int,
    ) -> None:
        self._store, self._workers, self._settings, self._clock = store, workers, settings, clock
        self._data_dir = data_dir
        self._originals = Vault(data_dir / "originals", sys.maxsize)
        self._index = IndexWriter(workers.index_folder, workers.index_recipe)
        self._max_bytes = max_bytes

    async def add(
        self, wanted: Sequence[Wanted], looked_at: Callable[[], None] = lambda: None
    ) -> AsyncGenerator[Added, None]:
        """Protect files; yield one result for each, in their order, once it is durable. Many become durable together.

        `looked_at` is called for each file as soon as it was read and measured. Safe to repeat and to interrupt:
        files that were done before are recognised. Raises IndexNotReady, VaultFull, OSError (a full disk) when
        nothing more can be protected, AlreadyRunning when another process still adds after `catalog.wait`.
        """
        async with hold_when_free(self._data_dir, ROLE, self._settings.wait):
            await self._repair(every_byte=False)
            for batch in _batches(wanted, self._settings.batch):
                for result in await self._add_batch(batch, looked_at):
                    yield result

    async def withdraw(self, ids: Sequence[str]) -> list[Asset]:
        """Withdraw assets, so that no answer names them any more; return those that were protected until now."""

        def take_out() -> list[Asset]:
            refuse_root_in(self._data_dir)
            with self._store.begin() as tx:
                known = [asset for asset in map(tx.assets.get, ids) if asset is not None]
                taken = [asset for asset in known if tx.assets.withdraw(asset.id, self._clock())]
            if taken:
                try:
                    self._index.withdraw([asset.number for asset in taken])
                except IndexNotReady as error:
                    # The store already keeps them out of every answer, and a repair leaves them out of the index.
                    log.warning("index_damaged", reason=str(error))
            return taken

        return await asyncio.to_thread(take_out)

    async def repair(self) -> int:
        """Make store and index agree after an interruption, damage, or a change of recipe; reads the whole index.

        Returns how many assets had to be published again. Does nothing when all is well, or while another process
        adds assets: what that process leaves unfinished is repaired by the next call.
        """
        try:
            with hold(self._data_dir, ROLE):
                return await self._repair(every_byte=True)
        except AlreadyRunning:
            return 0

    async def follow(self) -> bool:
        """Bring the index up to date after processes with other data folders added or withdrew assets.

        Assets whose bytes cannot be read here stay out of it, and answers say `partial` meanwhile. Returns False
        while another process adds assets here: call it again later.
        """
        # Usually there is nothing to do, and the lock is left to processes that add.
        if await asyncio.to_thread(self._agrees):
            return True
        try:
            with hold(self._data_dir, ROLE):
                await self._repair(every_byte=False)
        except AlreadyRunning:
            return False
        return True

    async def rebuild(self, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Rebuild the whole index from the originals; return how many assets it holds.

        The old index answers until the new one is complete. `progress` is called with the number of assets done and
        of all. Raises GuardianError when an original is missing or damaged, and changes nothing then; AlreadyRunning.
        """
        async with hold_when_free(self._data_dir, ROLE, self._settings.wait):
            return await self._rebuild(progress)

    async def _repair(self, *, every_byte: bool) -> int:
        """Make store and index agree, with the lock held; return how many assets were published again."""
        try:
            found = await asyncio.to_thread(self._index.contents, every_byte=every_byte)
        except IndexNotReady as error:
            log.warning("index_rebuilt", reason=str(error))
            return await self._rebuild(lambda done, total: None, within_reach=True)

        published = frozenset(found.numbers)
        adding = await asyncio.to_thread(self._assets, AssetState.ADDING)
        protected = await asyncio.to_thread(self._assets, AssetState.PROTECTED)
        wanted = {asset.number for asset in (*adding, *protected)}

        # In the index but not wanted: withdrawn while the index could not be written.
        if published - wanted:
            await asyncio.to_thread(self._index.withdraw, published - wanted)
        # In the index but not yet protected: interrupted between the two.
        await self._protect_published([asset for asset in adding if asset.number in published])

        # Not in the index: lost by damage or added elsewhere, or interrupted before it was published.
        lost = await self._within_reach([asset for asset in protected if asset.number not in published])
        unfinished = self._kept_here([asset for asset in adding if asset.number not in published])
        # Newer assets may have been published meanwhile: answers "up to number n" never compared these.
        renumbered = await asyncio.to_thread(self._renumbered, unfinished)

        for batch in _batches([*lost, *renumbered], self._settings.batch):
            entries = await self._entries(batch)
            await asyncio.to_thread(self._index.publish, entries)
            await asyncio.to_thread(self._note_hashes, entries)
            await self._protect_published(batch)
        return len(lost) + len(renumbered)

    async def _rebuild(self, progress: Callable[[int, int], None], *, within_reach: bool = False) -> int:
        """Rebuild the index, with the lock held; `within_reach` leaves out assets whose original cannot be read."""
        unfinished = self._kept_here(await asyncio.to_thread(self._assets, AssetState.ADDING))
        protected = await asyncio.to_thread(self._assets, AssetState.PROTECTED)
        if within_reach:
            protected = await self._within_reach(protected)
        assets = [*protected, *await asyncio.to_thread(self._renumbered, unfinished)]

        done = 0
        with self._index.rebuild() as publish:
            # Large batches make few segments, since each segment costs every search a little.
            batch_size = max(self._settings.batch * 8, -(-len(assets) // MAX_SEGMENTS))
            for batch in _batches(assets, batch_size):
                progress(done, len(assets))
                entries = await self._entries(batch)
                publish(entries)
                await asyncio.to_thread(self._note_hashes, entries)
                done += len(batch)

        await self._protect_published(assets)
        progress(done, len(assets))
        return done

    def _assets(self, state: AssetState) -> list[Asset]:
        with self._store.read() as tx:
            return tx.assets.list(state=state)

    def _agrees(self) -> bool:
        """Return whether the index holds exactly the protected assets and no addition is left unfinished."""
        try:
            published = set(self._index.contents(every_byte=False).numbers)
        except IndexNotReady:
            return False
        return published == {asset.number for asset in self._assets(AssetState.PROTECTED)} and not self._kept_here(
            self._assets(AssetState.ADDING)
        )

    def _kept_here(self, assets: Sequence[Asset]) -> list[Asset]:
        """Return those whose original is in this data folder; the others are being added by processes elsewhere."""
        return [asset for asset in assets if self._originals.holds(asset.sha256)]

    async def _within_reach(self, assets: Sequence[Asset]) -> list[Asset]:
        """Return those whose original is kept here, or can be copied from where it was added from.

        The others were added on another machine: answers are partial without them, and a warning is logged.
        """

        def fetch(asset: Asset) -> bool:
            if self._originals.holds(asset.sha256):
                return True
            try:
                content = local.read(Path(asset.path).as_uri(), self._max_bytes).content
            except (FetchFailed, FetchRefused, ValueError):
                return False
            if hashlib.sha256(content).hexdigest() != asset.sha256:
                # Another picture is at this path now, or always was on this machine.
                return False
            self._originals.keep(content)
            return True

        found = [asset for asset in assets if await asyncio.to_thread(fetch, asset)]
        if len(found) < len(assets):
            known = {asset.id for asset in found}
            missing = [asset for asset in assets if asset.id not in known]
            log.warning("assets_out_of_reach", assets=len(missing), such_as=missing[0].path, now="answers are partial")
        return found

    async def _protect_published(self, assets: Sequence[Asset]) -> None:
        """Mark published assets as protected, in the order of their numbers over all data folders.

        Pictures that were compared "up to number n" are never compared with numbers below n again. So an asset is
        published again under a new number when a later one, added elsewhere, was protected before it.
        """
        while overtaken := await asyncio.to_thread(self._protect, assets):
            before = {asset.id: asset.number for asset in assets}
            await asyncio.to_thread(self._index.publish, await self._entries(overtaken))
            await asyncio.to_thread(self._index.withdraw, frozenset(before[one.id] for one in overtaken))
            assets = overtaken

    def _protect(self, assets: Sequence[Asset]) -> list[Asset]:
        """Mark assets as protected; return those that got a new number instead, because a later one was first."""
        if not assets:
            return []

        with self._store.begin() as tx:
            latest = tx.assets.latest_number_for_writing()
            known = [asset for asset in (tx.assets.get(one.id) for one in assets) if asset is not None]
            adding = [asset for asset in known if asset.state is AssetState.ADDING]
            tx.assets.protect([asset.number for asset in adding if asset.number > latest])
            return [tx.assets.renumber(asset.id) for asset in adding if asset.number < latest]

    def _note_hashes(self, entries: Sequence[Entry]) -> None:
        """Store the perceptual hashes of assets; those of earlier versions get theirs when fingerprinted again."""
        with self._store.begin() as tx:
            for number, _, fingerprint in entries:
                if fingerprint.perceptual_hash is not None:
                    tx.assets.note_perceptual_hash(number, fingerprint.perceptual_hash)

    def _renumbered(self, assets: Sequence[Asset]) -> list[Asset]:
        """Give assets new numbers, above all others; return them with these."""
        if not assets:
            return []
        with self._store.begin() as tx:
            return [tx.assets.renumber(asset.id) for asset in assets]

    async def _entries(self, assets: Sequence[Asset]) -> list[Entry]:
        """Return index entries of assets, fingerprinted again from their originals.

        Raises GuardianError when an original cannot be read.
        """

        async def entry(asset: Asset) -> Entry:
            content = await asyncio.to_thread(self._originals.get, asset.sha256)
            try:
                return asset.number, asset.id, await self._workers.fingerprint(content)
            except (Unmatchable, WorkerLost) as error:
                if isinstance(error, WorkerLost) and error.failures == 0:
                    # Its worker was killed from outside, which says nothing of the asset.
                    raise
                raise GuardianError(
                    f"{asset.id} ({asset.path}) was protected before and cannot be read now: {error}; "
                    f"`guardian asset remove {asset.id}` takes it out"
                ) from error

        return await _a_few_at_a_time(assets, entry, self._workers.count + 1)

    async def _add_batch(self, batch: Sequence[Wanted], looked_at: Callable[[], None]) -> list[Added]:
        """Add some files together: prepare, reserve, publish, protect. Return one result for each, in their order."""

        async def prepare(wanted: Wanted) -> _Prepared | Added:
            prepared = await self._prepare(wanted)
            looked_at()
            return prepared

        prepared = await _a_few_at_a_time(batch, prepare, self._workers.count + 1)
        ready = [one for one in prepared if isinstance(one, _Prepared)]

        reserved = await asyncio.to_thread(self._reserve, ready)
        fresh = {one.sha256: one for one in ready if reserved[one.sha256].state is AssetState.ADDING}
        nearly = await asyncio.to_thread(self._nearly, list(fresh.values()), reserved)
        entries = [(reserved[sha256].number, reserved[sha256].id, one.fingerprint) for sha256, one in fresh.items()]

        try:
            await asyncio.to_thread(self._index.publish, entries)
            await asyncio.to_thread(self._note_hashes, entries)
            await self._protect_published([reserved[sha256] for sha256 in fresh])
        except IndexNotReady as error:
            # Publishing may merge small segments, which reads them whole and so can be the first to notice damage.
            log.warning("index_rebuilt", reason=str(error))
            await self._rebuild(lambda done, total: None)
            reserved = await asyncio.to_thread(self._reserve, ready)

        # Of several files with the same bytes the first is new, the others are known.
        results, told = [], set[str]()
        for one in prepared:
            if isinstance(one, Added):
                results.append(one)
                continue
            is_first = one.sha256 in fresh and one.sha256 not in told
            told.add(one.sha256)
            published_hash = one.fingerprint.perceptual_hash
            asset = replace(reserved[one.sha256], state=AssetState.PROTECTED, perceptual_hash=published_hash)
            results.append(Added(one.wanted.path, asset, was_known=not is_first, nearly=nearly.get(one.sha256, ())))
        return results

    async def _prepare(self, wanted: Wanted) -> _Prepared | Added:
        """Read and fingerprint one file and keep its bytes; return an Added when it is known or cannot be protected."""
        url = wanted.path.as_uri()
        try:
            content = (await asyncio.to_thread(local.read, url, self._max_bytes)).content
            sha256 = hashlib.sha256(content).hexdigest()
            known = await asyncio.to_thread(self._protected, sha256)
            if known is not None:
                return Added(wanted.path, known, was_known=True)
            fingerprint, metadata = await self._workers.fingerprint_with(read_metadata, content)
        except Unmatchable as error:
            return Added(wanted.path, problem=Skipped(url, error.reason, error.detail), unmatchable=True)
        except (FetchFailed, FetchRefused) as error:
            return Added(wanted.path, problem=replace(error.skipped, url=url))
        except WorkerLost as error:
            return Added(wanted.path, problem=Skipped(url, error.reason, str(error)))

        await asyncio.to_thread(self._originals.keep, content)
        return _Prepared(wanted, sha256, fingerprint, metadata)

    def _protected(self, sha256: str) -> Asset | None:
        """Return the protected asset with these bytes, None if there is none."""
        with self._store.read() as tx:
            known = tx.assets.by_sha256(sha256)
        return known if known is not None and known.state is AssetState.PROTECTED else None

    def _reserve(self, ready: Sequence[_Prepared]) -> dict[str, Asset]:
        """Reserve rows in one transaction; return them by SHA-256. The first of files with the same bytes counts."""
        reserved: dict[str, Asset] = {}
        if not ready:
            return reserved

        with self._store.begin() as tx:
            for one in ready:
                wanted, metadata = one.wanted, one.metadata
                if one.sha256 not in reserved:
                    reserved[one.sha256] = tx.assets.reserve(
                        one.sha256,
                        title=wanted.title or metadata.title or as_text(Path(wanted.path.stem)),
                        collection=wanted.collection,
                        path=as_text(wanted.path),
                        size=(one.fingerprint.width, one.fingerprint.height),
                        at=self._clock(),
                        tags=wanted.tags,
                        rights=filled(wanted.rights, metadata.rights),
                    )
        return reserved

    def _nearly(self, fresh: Sequence[_Prepared], reserved: dict[str, Asset]) -> dict[str, tuple[Asset, ...]]:
        """Return up to three earlier assets with nearly the same hash for each new one, the nearest first."""
        if not fresh:
            return {}
        before = self._index.contents(every_byte=False)

        # Each new asset is compared with those before it in the batch, too.
        hashes, ids = before.hashes, list(before.ids)
        found: dict[str, tuple[Asset, ...]] = {}
        for one in fresh:
            distances = np.bitwise_count(hashes ^ one.fingerprint.hash).sum(axis=1)
            close = [int(row) for row in np.argsort(distances) if distances[row] <= self._settings.near_identical_bits]
            if close:
                with self._store.read() as tx:
                    assets = [tx.assets.get(ids[row]) for row in close[:3]]
                found[one.sha256] = tuple(asset for asset in assets if asset is not None)

            hashes, ids = np.vstack([hashes, one.fingerprint.hash]), [*ids, reserved[one.sha256].id]
        return found


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Return the items in groups of `size`, the last one perhaps smaller."""
    return (items[start : start + size] for start in range(0, len(items), size))


async def _a_few_at_a_time(items: Sequence[T], work: Callable[[T], Awaitable[R]], at_once: int) -> list[R]:
    """Do `work` for each item, `at_once` at a time; return the results in order. Raises the first error."""
    slots = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with slots:
            return await work(item)

    return await asyncio.gather(*(one(item) for item in items))
