"""What a source is given to work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from guardian.fetch import Errand, Stranger
from guardian.store import Store


@dataclass(frozen=True, slots=True)
class Visit:
    """One scan's means: the network, the database (what a crawl has still to visit), and the time."""

    fetch: Stranger | Errand
    store: Store
    clock: Callable[[], datetime]
