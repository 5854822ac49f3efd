"""Forgets what only grows and nobody asks for any more. Cases, findings, histories and evidence are never touched."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime

from guardian.store import Store, Transaction
from guardian.store.settings import RetentionSettings

ROWS_AT_ONCE = 2_000
"""One transaction forgets so many rows, so that nobody who writes waits for long."""

_LAST_PRUNED = "pruned_on_day"


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind were forgotten."""

    deliveries: int = 0
    scans: int = 0
    responses: int = 0
    candidates: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))


def prune(store: Store, settings: RetentionSettings, recipe: str, now: datetime) -> Pruned:
    """Forget all rows that are older than the settings keep them.

    `recipe` names how fingerprints are made today: what was measured under others is forgotten after a week.
    Safe beside other processes, and to be broken off at any moment: what is left is forgotten the next time.
    """

    def repeat(forget: Callable[[Transaction], int]) -> int:
        dropped = 0
        while True:
            with store.begin() as tx:
                now_dropped = forget(tx)
            dropped += now_dropped
            if now_dropped < ROWS_AT_ONCE:
                return dropped

    # Responses first: they keep alive what was measured of the bytes that they lead to.
    pruned = Pruned(
        responses=repeat(lambda tx: tx.responses.forget_before(now - settings.responses, ROWS_AT_ONCE)),
        candidates=repeat(lambda tx: tx.candidates.forget(recipe, now - settings.candidates, now, ROWS_AT_ONCE)),
        deliveries=repeat(lambda tx: tx.tasks.forget_done(now - settings.deliveries, ROWS_AT_ONCE)),
        scans=repeat(lambda tx: tx.scans.forget_before(now - settings.scans, ROWS_AT_ONCE)),
    )
    # A message stays as long as one of its deliveries does.
    repeat(lambda tx: tx.messages.forget_unowed(now - settings.deliveries, ROWS_AT_ONCE))
    return pruned


def prune_daily(store: Store, settings: RetentionSettings, recipe: str, now: datetime) -> Pruned | None:
    """Prune unless that was done today already, by any process on this database; None says that it was.

    A clock that was turned back makes another day of it, and pruning twice does no harm.
    """
    today = now.date().toordinal()
    with store.begin() as tx:
        if not tx.counters.put(_LAST_PRUNED, today):
            return None
    return prune(store, settings, recipe, now)
