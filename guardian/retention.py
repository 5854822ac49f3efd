"""Prunes tables that would only grow. Cases, findings, histories and evidence are never touched."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from guardian.store import Store, Transaction
from guardian.store.candidates import OLD_RECIPES_KEPT
from guardian.store.settings import RetentionSettings

ROWS_AT_ONCE = 2_000
"""How many rows one transaction deletes: few enough that no other writer waits for long."""

RELEASED_KEPT = timedelta(days=30)
"""How long a process has time to remove the evidence in its data folder that another process has released."""

_LAST_PRUNED = "pruned_on_day"
"""The counter that holds the day (its ordinal number) on which some process pruned last."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind were deleted."""

    deliveries: int = 0
    scans: int = 0
    responses: int = 0
    candidates: int = 0

    @property
    def total(self) -> int:
        """The sum over all kinds."""
        return sum(getattr(self, field.name) for field in fields(self))


def prune(store: Store, settings: RetentionSettings, recipe: str, now: datetime) -> Pruned:
    """Delete all rows that are older than the settings keep them; return how many.

    `recipe` names how pictures are matched today: answers of other recipes are deleted after a week. Safe beside
    other processes, and to interrupt at any moment: the next call goes on.
    """

    def repeat(forget: Callable[[Transaction], int]) -> int:
        total = 0
        while True:
            with store.begin() as tx:
                deleted = forget(tx)

            total += deleted
            if deleted < ROWS_AT_ONCE:
                return total

    # Responses first: an answer of the matcher is kept as long as a response refers to the same bytes.
    pruned = Pruned(
        responses=repeat(lambda tx: tx.responses.forget_before(now - settings.responses, ROWS_AT_ONCE)),
        candidates=repeat(lambda tx: tx.candidates.forget(recipe, now - settings.candidates, now, ROWS_AT_ONCE)),
        deliveries=repeat(lambda tx: tx.tasks.forget_done(now - settings.deliveries, ROWS_AT_ONCE)),
        scans=repeat(lambda tx: tx.scans.forget_before(now - settings.scans, ROWS_AT_ONCE)),
    )
    # Bytes that are gone, or in the data folder of a process that has ended for good.
    released_before = now - RELEASED_KEPT
    repeat(lambda tx: tx.released_evidence.forget_before(released_before, ROWS_AT_ONCE))
    # A message stays as long as one of its deliveries does.
    repeat(lambda tx: tx.messages.forget_unowed(now - settings.deliveries, ROWS_AT_ONCE))
    with store.begin() as tx:
        # A handful at most: two processes may match by two recipes for a while, and each keeps its own.
        tx.named_searches.forget_told()
        tx.quarantine.forget_other_recipes(recipe, now - OLD_RECIPES_KEPT)
    return pruned


def prune_daily(store: Store, settings: RetentionSettings, recipe: str, now: datetime) -> Pruned | None:
    """Prune once a day, whichever process on this database comes first; return None when it was done already."""
    # A clock that is turned back makes it another day, and pruning twice does no harm.
    today = now.date().toordinal()
    with store.begin() as tx:
        if not tx.counters.put(_LAST_PRUNED, today):
            return None

    return prune(store, settings, recipe, now)
