"""When a case is looked at again after a notice, and what the looks together say."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from guardian.model import CaseState, TaskKind
from guardian.model.notices import PlaceLook, PlaceState, Recheck, RecheckOutcome
from guardian.store import Transaction

RECHECK_DAYS = (1, 3, 7, 14, 30, 90)
"""Days after a notice on which its places are looked at again."""


NO_MORE = (CaseState.DISMISSED, CaseState.LICENSED)
"""States of cases at which nobody wants to look any more."""


def owe_rechecks(tx: Transaction, notice_id: str, case_id: str, sent_at: datetime) -> None:
    """Add the tasks that look at a case again, 1, 3, 7, 14, 30 and 90 days after a notice was sent."""
    for day in RECHECK_DAYS:
        due_at = sent_at + timedelta(days=day)
        tx.tasks.add(TaskKind.RECHECK_NOTICE, key_of(notice_id, case_id, day), due_at=due_at, at=sent_at)


def key_of(notice_id: str, case_id: str, day: int) -> str:
    """Return the key of the task that looks at a case again, so many days after a notice."""
    return f"{notice_id}:{case_id}:{day}"


def read_key(key: str) -> tuple[str, str, int]:
    """Return the notice, the case and the day of a task's key."""
    notice_id, case_id, day = key.split(":")
    return notice_id, case_id, int(day)


def outcome_of(
    places: Sequence[PlaceLook], elsewhere: Sequence[PlaceLook], earlier: Sequence[Recheck]
) -> RecheckOutcome:
    """Return what the looks at all places of a case say together. `earlier` are its rechecks so far, oldest first.

    `elsewhere` are looks at other places of its operator: nothing is called gone while one of them could not be told.
    """
    is_up = any(look.state is PlaceState.THERE for look in elsewhere)
    there = [look for look in places if look.state is PlaceState.THERE]
    gone = [look for look in places if look.state is PlaceState.GONE]
    if there:
        was_gone = {_place(look) for recheck in _since_told(earlier) for look in recheck.places if _is_gone(look)}
        if any(_place(look) in was_gone for look in there):
            return RecheckOutcome.BACK
        return RecheckOutcome.PARTLY if gone else RecheckOutcome.THERE
    if gone and is_up:
        return RecheckOutcome.MOVED
    if not places or any(look.state is PlaceState.UNCLEAR for look in (*places, *elsewhere)):
        return RecheckOutcome.UNCLEAR
    return RecheckOutcome.GONE


def _since_told(earlier: Sequence[Recheck]) -> Sequence[Recheck]:
    """Return the rechecks from the last on that found a place there: what was gone before that has been told of."""
    for number in range(len(earlier) - 1, -1, -1):
        if earlier[number].outcome is RecheckOutcome.BACK:
            return earlier[number:]
    return earlier


def _place(look: PlaceLook) -> tuple[str | None, str | None]:
    return look.page_url, look.image_url


def _is_gone(look: PlaceLook) -> bool:
    return look.state is PlaceState.GONE
