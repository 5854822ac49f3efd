"""The interface of the catalogue: adds and withdraws assets; store, originals and index agree whatever interrupts it.

An asset is first kept (its bytes), then reserved (a row, state "adding"), then published (the index), then
protected (the row). `repair` finishes whatever an interruption left half done. Machines that share a database have
an index and originals each: `follow` brings this one up to date with what others added and withdrew.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.catalog import appearances, describing, upkeep
from guardian.catalog.adding import Adding, with_versions
from guardian.catalog.context import CatalogContext
from guardian.catalog.looking_back import look_back
from guardian.catalog.publishing import LeftOut, in_growing_batches, merge_segments, warn_of_left_out
from guardian.catalog.results import Added
from guardian.catalog.settings import CatalogSettings
from guardian.catalog.wanted import Wanted
from guardian.disk_errors import refuse_root_in
from guardian.errors import AlreadyRunning, IndexNotReady
from guardian.evidence.vaults import originals_in
from guardian.matching.index.writer import IndexWriter
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.model import Asset, EarlierUse
from guardian.search.rows import AssetRows
from guardian.store import Store, hold, hold_when_free

ROLE = "catalog"
"""The lock under which assets are added: one process at a time."""

log = structlog.get_logger(__name__)


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
        memory: Memory | None,
    ) -> None:
        originals = originals_in(data_dir)
        index = IndexWriter(workers.index_folder, workers.index_recipe)
        self._data_dir = data_dir
        rows = AssetRows(data_dir)
        self._context = CatalogContext(store, workers, originals, index, settings, clock, max_bytes, rows, memory)

    async def add(
        self, wanted: Sequence[Wanted], looked_at: Callable[[], None] = lambda: None, *, again: bool = False
    ) -> AsyncGenerator[Added, None]:
        """Protect files; yield one result for each, in their order, once it is durable. Many become durable together.

        `looked_at` is called for each file as soon as it was read and measured. `again` protects assets too that were
        withdrawn. Safe to repeat and to interrupt: files that were done before are recognised. Raises IndexNotReady,
        VaultFull, OSError (a full disk) when nothing more can be protected, AlreadyRunning when another process still
        adds after `catalog.wait`.
        """
        settings = self._context.settings
        async with hold_when_free(self._data_dir, ROLE, settings.wait):
            await upkeep.repair(self._context, every_byte=False)
            adding = Adding(self._context, looked_at, again=again)
            for batch in in_growing_batches(wanted, settings.batch):
                for result in await adding.add(batch):
                    yield await asyncio.to_thread(with_versions, self._context, result)
                await self._merge()
            if adding.has_restored:
                # The index may have been made without assets whose originals were lost.
                await upkeep.repair(self._context, every_byte=False)

    async def _merge(self) -> None:
        """Join small segments, which reads them whole and so can be the first to notice damage."""
        try:
            await merge_segments(self._context)
        except IndexNotReady as error:
            log.warning("index_rebuilt", reason=str(error))
            await upkeep.rebuild(self._context)

    async def look_back(self, asset_id: str) -> tuple[EarlierUse, ...]:
        """Look in the memory for an asset; return where it was seen and nobody knew of yet. See looking_back.py."""
        return await look_back(self._context, asset_id)

    async def withdraw(self, ids: Sequence[str]) -> list[Asset]:
        """Withdraw assets, so that no answer names them any more; return those that were protected until now."""

        def take_out() -> list[Asset]:
            refuse_root_in(self._data_dir)
            with self._context.store.begin() as tx:
                known = [asset for asset in map(tx.assets.get, ids) if asset is not None]
                taken = [asset for asset in known if tx.assets.withdraw(asset.id, self._context.clock())]
            if taken:
                try:
                    self._context.index.withdraw([asset.number for asset in taken])
                except IndexNotReady as error:
                    # The store already keeps them out of every answer, and a repair leaves them out of the index.
                    log.warning("index_damaged", reason=str(error))
                appearances.withdraw(self._context, [asset.number for asset in taken])
            return taken

        return await asyncio.to_thread(take_out)

    async def erase_withdrawn(self) -> None:
        """Erase what the index of this data folder still keeps of withdrawn assets.

        Writes each segment again that holds any: a minute for 100,000 assets, beside whoever adds and searches. What
        cannot be erased now is erased the next time.
        """
        try:
            await merge_segments(self._context, erase=True)
        except IndexNotReady as error:
            # Whoever searches or adds next repairs it, and leaves out what is withdrawn.
            log.warning("index_damaged", reason=str(error))

    async def repair(self) -> int:
        """Make store and index agree after an interruption, damage, or a change of recipe; reads the whole index.

        Returns how many assets had to be published again. Does nothing when all is well, or while another process
        adds assets: what that process leaves unfinished is repaired by the next call.
        """
        try:
            with hold(self._data_dir, ROLE):
                return await upkeep.repair(self._context, every_byte=True)
        except AlreadyRunning:
            return 0

    def hashes(self) -> dict[int, NDArray[np.uint8]]:
        """Return the hash that the index keeps of each asset, uint8 [32], by its number. Raises IndexNotReady."""
        found = self._context.index.contents(every_byte=False)
        return dict(zip(found.numbers, found.hashes, strict=True))

    async def complete_appearances(self, progress: upkeep.Progress) -> int:
        """Make the appearances that the search lacks: of assets added by earlier versions, or whose rows were damaged.

        Returns how many assets still have none, because their originals cannot be read or another process is adding.
        """
        if not await asyncio.to_thread(appearances.missing, self._context):
            return 0
        try:
            with hold(self._data_dir, ROLE):
                await appearances.complete(self._context, progress)
        except AlreadyRunning:
            log.info("appearances_wait", reason="another process adds assets")
        return len(await asyncio.to_thread(appearances.missing, self._context))

    async def describe_some(self) -> int:
        """Read the keywords and captions in some files that were added before these were kept; return how many.

        Returns 0 when all are read. Raises WorkersUnavailable.
        """
        return await describing.describe_some(self._context)

    async def follow(self) -> bool:
        """Bring the index up to date after processes with other data folders added or withdrew assets.

        Assets whose bytes cannot be read here stay out of it, and answers say `partial` meanwhile. Returns False
        while another process adds assets here: call it again later.
        """
        # Usually there is nothing to do, and the lock is left to processes that add.
        if await asyncio.to_thread(upkeep.agree, self._context):
            return True
        try:
            with hold(self._data_dir, ROLE):
                await upkeep.repair(self._context, every_byte=False)
        except AlreadyRunning:
            return False
        return True

    async def rebuild(
        self, progress: upkeep.Progress = lambda done, total: None, left_out: LeftOut = warn_of_left_out
    ) -> int:
        """Rebuild the whole index from the originals; return how many assets it holds.

        The old index answers until the new one is complete. `progress` is called with the number of assets done and
        of all, `left_out` with each asset whose original is missing or damaged: it is not compared until its file is
        added again, and answers say `partial`. Raises AlreadyRunning.
        """
        async with hold_when_free(self._data_dir, ROLE, self._context.settings.wait):
            return await upkeep.rebuild(self._context, progress, left_out)
