"""Adds assets and takes them out, so that store, originals and index agree whatever interrupts it.

An asset is first kept (its bytes), then reserved (a row, state "adding"), then published (the index), then
protected (the row). `repair` finishes or mends whatever an interruption left in between. Machines that share a
database have an index and originals each: `follow` brings this one up to what the others added and took out.
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
from guardian.store import Store, hold

ROLE = "catalog"
"""The lock under which assets are added: one process at a time."""

log = structlog.get_logger(__name__)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Added:
    """What came of one wanted file.

    `asset` is None exactly when `problem` says why it is not protected. `was_known`: the same bytes were
    protected before. `nearly`: assets that look almost the same, most similar first.
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
        """Protect files; one result for each, in their order, given when it is durable, many together.

        `looked_at` is called for each file as soon as it was read and measured. Safe to repeat and to interrupt:
        files done before are known again. Raises IndexNotReady, VaultFull, OSError (a full disk) when nothing
        more can be protected, AlreadyRunning while another process adds.
        """
        with hold(self._data_dir, ROLE):
            await self._repair(every_byte=False)
            for batch in _batches(wanted, self._settings.batch):
                for result in await self._add_batch(batch, looked_at):
                    yield result

    async def withdraw(self, ids: Sequence[str]) -> list[Asset]:
        """Take assets out of all answers at once. Returns those that were protected until now."""

        def take_out() -> list[Asset]:
            with self._store.begin() as tx:
                known = [asset for asset in map(tx.assets.get, ids) if asset is not None]
                taken = [asset for asset in known if tx.assets.withdraw(asset.id, self._clock())]
            if taken:
                try:
                    self._index.withdraw([asset.number for asset in taken])
                except IndexNotReady as error:
                    # The store has them out of every answer; whoever mends the index leaves them out as well.
                    log.warning("index_damaged", reason=str(error))
            return taken

        return await asyncio.to_thread(take_out)

    async def repair(self) -> int:
        """Make store and index agree after an interruption, damage, or a change of recipe; reads every byte.

        Returns how many assets had to be published anew. Nothing is done when all is well, or while
        another process adds assets: what that leaves unfinished is mended by the next one who asks.
        """
        try:
            with hold(self._data_dir, ROLE):
                return await self._repair(every_byte=True)
        except AlreadyRunning:
            return 0

    async def follow(self) -> bool:
        """Bring the index up to what the database says, after processes with other data folders changed that.

        Assets whose bytes are not within reach stay out of it, and answers say `partial` meanwhile. Returns False
        while another process adds assets here: try again later.
        """
        # Without the lock when there is nothing to do, as always after an addition here: the next one needs it.
        if await asyncio.to_thread(self._agrees):
            return True
        try:
            with hold(self._data_dir, ROLE):
                await self._repair(every_byte=False)
        except AlreadyRunning:
            return False
        return True

    async def rebuild(self, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Make the whole index anew from the originals; returns how many assets it holds.

        The index before answers until the new one is complete. `progress` is told assets done and in all.
        Raises GuardianError when an original is missing or damaged, and changes nothing then; AlreadyRunning.
        """
        with hold(self._data_dir, ROLE):
            return await self._rebuild(progress)

    async def _repair(self, *, every_byte: bool) -> int:
        try:
            found = await asyncio.to_thread(self._index.contents, every_byte=every_byte)
        except IndexNotReady as error:
            log.warning("index_rebuilt", reason=str(error))
            return await self._rebuild(lambda done, total: None, within_reach=True)
        published = frozenset(found.numbers)
        adding = await asyncio.to_thread(self._assets, AssetState.ADDING)
        protected = await asyncio.to_thread(self._assets, AssetState.PROTECTED)
        wanted = {asset.number for asset in (*adding, *protected)}
        if published - wanted:
            await asyncio.to_thread(self._index.withdraw, published - wanted)
        await self._protect_published([asset for asset in adding if asset.number in published])
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
        unfinished = self._kept_here(await asyncio.to_thread(self._assets, AssetState.ADDING))
        protected = await asyncio.to_thread(self._assets, AssetState.PROTECTED)
        if within_reach:
            protected = await self._within_reach(protected)
        assets = [*protected, *await asyncio.to_thread(self._renumbered, unfinished)]
        done = 0
        with self._index.rebuild() as publish:
            # As few segments as small ones are merged into: each costs every search a little.
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
        """Those whose original lies in this data folder. The others are being added by a process with another."""
        return [asset for asset in assets if self._originals.holds(asset.sha256)]

    async def _within_reach(self, assets: Sequence[Asset]) -> list[Asset]:
        """Those whose original is kept here, or still lies where it was added from and is kept here from now on.

        The others were added on another machine: answers are partial without them, which a warning says.
        """

        def fetch(asset: Asset) -> bool:
            if self._originals.holds(asset.sha256):
                return True
            try:
                content = local.read(Path(asset.path).as_uri(), self._max_bytes).content
            except (FetchFailed, FetchRefused, ValueError):
                return False
            if hashlib.sha256(content).hexdigest() != asset.sha256:
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
        """Count published assets as protected, in the order of their numbers over all data folders.

        What was compared "up to number n" is not compared again with numbers below: an asset that a later one, added
        elsewhere, has overtaken is published anew under a number of its own.
        """
        while overtaken := await asyncio.to_thread(self._protect, assets):
            before = {asset.id: asset.number for asset in assets}
            await asyncio.to_thread(self._index.publish, await self._entries(overtaken))
            await asyncio.to_thread(self._index.withdraw, frozenset(before[one.id] for one in overtaken))
            assets = overtaken

    def _protect(self, assets: Sequence[Asset]) -> list[Asset]:
        """Protect assets; those that were overtaken get a new number instead and are returned with it."""
        if not assets:
            return []
        with self._store.begin() as tx:
            latest = tx.assets.latest_number_for_writing()
            known = [asset for asset in (tx.assets.get(one.id) for one in assets) if asset is not None]
            adding = [asset for asset in known if asset.state is AssetState.ADDING]
            tx.assets.protect([asset.number for asset in adding if asset.number > latest])
            return [tx.assets.renumber(asset.id) for asset in adding if asset.number < latest]

    def _note_hashes(self, entries: Sequence[Entry]) -> None:
        """Keep the published hashes; assets of earlier versions get theirs when they are fingerprinted anew."""
        with self._store.begin() as tx:
            for number, _, fingerprint in entries:
                if fingerprint.perceptual_hash is not None:
                    tx.assets.note_perceptual_hash(number, fingerprint.perceptual_hash)

    def _renumbered(self, assets: Sequence[Asset]) -> list[Asset]:
        if not assets:
            return []
        with self._store.begin() as tx:
            return [tx.assets.renumber(asset.id) for asset in assets]

    async def _entries(self, assets: Sequence[Asset]) -> list[Entry]:
        """Compute fingerprints of assets again from their kept originals.

        Raises GuardianError when one cannot be read.
        """

        async def entry(asset: Asset) -> Entry:
            content = await asyncio.to_thread(self._originals.get, asset.sha256)
            try:
                return asset.number, asset.id, await self._workers.fingerprint(content)
            except (Unmatchable, WorkerLost) as error:
                raise GuardianError(
                    f"{asset.id} ({asset.path}) was protected before and cannot be read now: {error}; "
                    f"`guardian asset remove {asset.id}` takes it out"
                ) from error

        return await _a_few_at_a_time(assets, entry, self._workers.count + 1)

    async def _add_batch(self, batch: Sequence[Wanted], looked_at: Callable[[], None]) -> list[Added]:
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
            # Joining small segments reads them whole, and may be the first to notice damage.
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
        """Read, know or fingerprint one file, and keep its bytes. The supervision point of one file."""
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
        with self._store.read() as tx:
            known = tx.assets.by_sha256(sha256)
        return known if known is not None and known.state is AssetState.PROTECTED else None

    def _reserve(self, ready: Sequence[_Prepared]) -> dict[str, Asset]:
        """Reserve a row for each, in one transaction; the first of several files with the same bytes names it."""
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
        """Find for each new asset those before it whose hashes are nearly the same."""
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
    return (items[start : start + size] for start in range(0, len(items), size))


async def _a_few_at_a_time(items: Sequence[T], work: Callable[[T], Awaitable[R]], at_once: int) -> list[R]:
    """Do `work` for each item, a few at a time; results in the items' order. The first error ends all."""
    room = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with room:
            return await work(item)

    return await asyncio.gather(*(one(item) for item in items))
