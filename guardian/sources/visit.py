"""What a source is given to work with, and what it may yield."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from guardian.fetch import Errand, Stranger
from guardian.model import Omission, Sighting
from guardian.store import Store


@dataclass(frozen=True, slots=True)
class Visit:
    """One scan's means: the network, the database (what a crawl has still to visit), and the time."""

    fetch: Stranger | Errand
    store: Store
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Milestone:
    """All that a source yielded before this belongs together. `settle` notes, in the database, that it was answered.

    Called once everything before it is recorded: what a crash cuts off before that is visited again.
    """

    settle: Callable[[], None]


Seen = Sighting | Omission | Milestone
"""What a source yields."""
