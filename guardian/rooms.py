"""Opens the rooms that a Config describes, in the order they need each other, and closes them again.

The one place where settings become opened objects; everything below gets those as arguments.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from guardian import rules
from guardian.catalog import Catalog
from guardian.config import Config
from guardian.delivery import Delivery
from guardian.evidence import Vault
from guardian.fetch import Operator, Stranger
from guardian.matching.workers import Workers
from guardian.pipeline import Walk
from guardian.store import Store, open_store


def utc_now() -> datetime:
    """The clock that every room is given."""
    return datetime.now(UTC)


@contextmanager
def opened_store(config: Config) -> Iterator[Store]:
    """The database of this configuration, migrated forward."""
    store = open_store(config.store, config.data_dir)
    try:
        yield store
    finally:
        store.close()


@asynccontextmanager
async def opened_workers(config: Config) -> AsyncIterator[Workers]:
    """Worker processes over this configuration's index; the first one starts warming at once."""
    workers = Workers(config.matching, config.embedding, config.data_dir / "index")
    try:
        yield workers
    finally:
        await workers.aclose()
