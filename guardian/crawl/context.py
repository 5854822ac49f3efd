"""What a source is given to work with, and what it may yield."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from guardian.fetch.fetcher import Fetcher
from guardian.model import Checkpoint, Sighting, Skipped
from guardian.store import Store


@dataclass(frozen=True, slots=True)
class CrawlContext:
    """One scan's means: the network, the database (what a crawl has still to visit), and the time."""

    fetcher: Fetcher
    store: Store
    clock: Callable[[], datetime]


Seen = Sighting | Skipped | Checkpoint
"""What a source yields."""
