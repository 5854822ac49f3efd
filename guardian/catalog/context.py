"""Declares what a catalogue works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from guardian.catalog.settings import CatalogSettings
from guardian.evidence import Vault
from guardian.matching.index.writer import IndexWriter
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.search.rows import AssetRows
from guardian.store import Store


@dataclass(frozen=True, slots=True)
class CatalogContext:
    """The opened store, originals, index and workers of one catalogue, and the appearances that the search compares.

    A file of more than `max_bytes` is refused. `memory` is what new assets are looked for in; None where nothing is
    remembered.
    """

    store: Store
    workers: Workers
    originals: Vault
    index: IndexWriter
    settings: CatalogSettings
    clock: Callable[[], datetime]
    max_bytes: int
    appearances: AssetRows
    memory: Memory | None = None
