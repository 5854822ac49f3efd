"""Declares what a source is given to crawl with, and what it may yield."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from guardian.fetch.fetcher import Fetcher
from guardian.model import Checkpoint, Sighting, Skipped
from guardian.store import Store


@dataclass(frozen=True, slots=True)
class CrawlContext:
    """What a source works with in one scan: the network, the database (for the frontier), and the clock."""

    fetcher: Fetcher
    store: Store
    clock: Callable[[], datetime]


Seen = Sighting | Skipped | Checkpoint
"""What a source yields."""
