"""What a source is given to work with, and what it may yield."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from guardian.fetch.session import ScanSession
from guardian.fetch.web import WebClient
from guardian.model import ScanCounts, Sighting, Skipped
from guardian.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class CrawlContext:
    """One scan's means: the network, the database (what a crawl has still to visit), and the time."""

    fetch: WebClient | ScanSession
    store: Store
    clock: Callable[[], datetime]


def _nothing(_: Transaction) -> None:
    """There is nothing to note."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a source yielded before this belongs together. `settle` notes, in the database, that it was answered.

    Called once everything before it is recorded: what a crash cuts off before that is visited again. `counts` are
    for the account of the scan, written in the same transaction, so that a page counts once over all crashes.
    """

    settle: Callable[[Transaction], None] = _nothing
    counts: ScanCounts = field(default_factory=ScanCounts)


Seen = Sighting | Skipped | Checkpoint
"""What a source yields."""
