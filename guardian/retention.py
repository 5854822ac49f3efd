"""Prunes tables that would only grow. Cases, findings, histories and evidence are never touched."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

import structlog

from guardian.store import Store, Transaction
from guardian.store.candidates import OLD_RECIPES_KEPT
from guardian.store.settings import RetentionSettings

ROWS_AT_ONCE = 2_000
"""How many rows one transaction deletes: few enough that no other writer waits for long."""

RELEASED_KEPT = timedelta(days=30)
"""How long a process has time to remove the evidence in its data folder that another process has released."""

LONGEST_GAP = timedelta(days=30)
"""Between two days on which some process wanted to prune. After a longer one the clock may have jumped forward."""

DOUBT = timedelta(days=7)
"""For how long nothing is deleted by age then: so much time people have to put the clock right."""

_LAST_PRUNED = "pruned_on_day"
"""The counter that holds the day (its ordinal number) on which some process pruned last."""

_DOUBTED_UNTIL = "pruning_doubted_until_day"
"""The counter that holds the day from which on what is old is deleted again, after a gap."""

log = structlog.get_logger(__name__)


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
    """Prune once a day, whichever process on this database comes first; return None when nothing may be deleted.

    That is so when it was done today already, and while the clock is in doubt.
    """
    # A clock that is turned back makes it another day, and pruning twice does no harm.
    today = now.date().toordinal()
    with store.begin() as tx:
        before = tx.counters.value(_LAST_PRUNED)
        if not tx.counters.put(_LAST_PRUNED, today) or _is_in_doubt(tx, before, today):
            return None

    return prune(store, settings, recipe, now)


def _is_in_doubt(tx: Transaction, before: int, today: int) -> bool:
    """Return whether the clock may have jumped forward, by when some process wanted to prune last; begin a doubt."""
    until = tx.counters.value(_DOUBTED_UNTIL)
    # A machine that is started every other month shall prune every second time.
    was_doubted = before < until <= today
    if before and today - before > LONGEST_GAP.days and not was_doubted:
        until = today + DOUBT.days
        tx.counters.put(_DOUBTED_UNTIL, until)
        log.warning(
            "clock_in_doubt",
            days_since_last=today - before,
            nothing_deleted_by_age_until=date.fromordinal(until).isoformat(),
        )
    # A doubt that lies far ahead is one of a clock that was put right since.
    return today < until <= today + DOUBT.days
