"""Remembers what scans compare: rows of the database at once, fingerprints in segments a little later."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from guardian.disk_errors import disk_error_text
from guardian.errors import IndexNotReady
from guardian.freed_memory import give_back
from guardian.memory.settings import MemorySettings
from guardian.memory.shards import DERIVED, shard_of
from guardian.model import NewlySeen
from guardian.store import Store, Transaction

if TYPE_CHECKING:
    from guardian.memory.writer import MemoryWriter

WRITTEN_FROM = 256
"""So many fingerprints must wait in the database for a segment to be written while a scan goes on."""

WRITTEN_AFTER_SCAN = 32
"""So many must wait for one to be written after a scan.

Fewer are written once a day, and before the memory is asked anything.
"""

log = structlog.get_logger(__name__)


class Memory:
    """What one process remembers for its configuration. Threads may share it."""

    def __init__(self, store: Store, folder: Path, recipe: str, settings: MemorySettings) -> None:
        self._store, self._folder, self._recipe = store, folder, recipe
        self.settings = settings
        self._shard: str | None = None
        self._writer: MemoryWriter | None = None
        self._waiting = 0

    @property
    def folder(self) -> Path:
        """The memory's folder on this machine."""
        return self._folder

    @property
    def recipe(self) -> str:
        """How fingerprints are made now."""
        return self._recipe

    @property
    def shard(self) -> str:
        """The name of this machine's memory folder, which is made when it is first needed."""
        if self._shard is None:
            self._shard = shard_of(self._folder)
        return self._shard

    @property
    def writer(self) -> "MemoryWriter":
        """What changes the folder. It loads what fingerprints are read with, so it is opened when needed."""
        from guardian.memory.writer import MemoryWriter

        if self._writer is None:
            self._writer = MemoryWriter(self._store, self._folder, self._recipe)
        return self._writer

    def earlier_recipes(self) -> list[str]:
        """Return the recipes of which this machine still has segments, but for today's."""
        if not self._folder.is_dir():
            return []
        folders = {path.name for path in self._folder.iterdir() if path.is_dir()}
        return sorted(folders - {self._recipe, DERIVED})

    def lacks(self, tx: Transaction, sha256: str) -> bool:
        """Return whether a picture should be described, so that it can be remembered."""
        return not tx.memory_settings.is_off() and not tx.fingerprints.has(sha256, self._recipe)

    def remember(self, store: Store, met: Sequence[NewlySeen]) -> None:
        """Write pictures that were met, through a scan's own store; write a segment when many fingerprints wait.

        What a scan is for does not fail when a segment cannot be written: the fingerprints wait on in the database.
        Raises StoreUnusable, ClaimLost.
        """
        with store.begin() as tx:
            if tx.memory_settings.is_off():
                return
            tx.newly_seen.remember(met, self._recipe, self.shard)

        self._waiting += sum(one.described is not None for one in met)
        if self._waiting >= WRITTEN_FROM:
            self.write_waiting(at_least=WRITTEN_FROM)

    def write_waiting(self, *, at_least: int = 1) -> None:
        """Write segments of the fingerprints that wait; log a warning when that cannot be done now."""
        self._waiting = 0
        try:
            counts = self.writer.write_waiting(at_least=at_least)
        except OSError as error:
            log.warning("memory_not_written", reason=disk_error_text(error))
        except IndexNotReady as error:
            log.warning("memory_damaged", reason=str(error))
        else:
            if counts.written or counts.joined:
                give_back()
                log.info("memory_written", pictures=counts.written, joined=counts.joined)
