"""Sends messages about the deadlines of a notice: no answer in time, and the days of a counter notice. Each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from guardian.model import Audience, CaseState
from guardian.model.notices import OUT_STATES, Notice, NoticeState, NoticeStep
from guardian.outbox import enqueue_once, mint
from guardian.store import Transaction
from guardian.store.leases import CLOCK_SLACK
from guardian.views.messages import message_deadline, message_notice

EVENT = "notice.deadline"

_TOLD_AHEAD = timedelta(days=5)
"""How long before the days of a counter notice they are told of: time enough to go to court."""

_TOLD_LATE = timedelta(days=30)
"""A day that is longer past is not told of, when a destination asks for that only now."""


class DeadlineKind(StrEnum):
    """What a day is: the last for an answer; the first and the last on which a provider restores what was removed."""

    ANSWER = "answer"
    RESTORE_FROM = "restore_from"
    RESTORE_BY = "restore_by"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day that counts after a notice, and from which day on it is told of."""

    kind: DeadlineKind
    on: date
    told_from: date


def deadlines_of(notice: Notice) -> Iterator[Deadline]:
    """Yield the days that count after a notice that was sent."""
    if notice.state not in OUT_STATES:
        return
    if notice.state is NoticeState.SENT:
        # The last day counts: there is no answer in time only when it is over.
        yield Deadline(DeadlineKind.ANSWER, notice.answer_by, notice.answer_by + timedelta(days=1))
    countered = notice.last(NoticeStep.COUNTERED)
    if countered is not None:
        for kind, name in ((DeadlineKind.RESTORE_FROM, "earliest"), (DeadlineKind.RESTORE_BY, "latest")):
            on = date.fromisoformat(countered.detail[name])
            yield Deadline(kind, on, on - _TOLD_AHEAD)


def tell_of_deadlines(tx: Transaction, audience: Audience, now: datetime) -> int:
    """Enqueue a message about each day that is due to be told of; return how many deliveries that makes.

    That nobody answered is told of only while a case of the notice still waits. What was told too early, by a clock
    that has been put back since, is told again when it is so.
    """
    names = audience.wanting(EVENT)
    if not names:
        return 0
    told, today = 0, now.date()
    notices = tx.notices.with_days_after(today - _TOLD_LATE)
    to_come = [(notice, one) for notice in notices for one in deadlines_of(notice) if one.told_from > today]
    tx.messages.let_tell_again([_episode(*one) for one in to_come], now + CLOCK_SLACK)
    for notice in notices:
        for deadline in deadlines_of(notice):
            if not deadline.told_from <= today <= deadline.on + _TOLD_LATE:
                continue
            if deadline.kind is DeadlineKind.ANSWER and not _waits(tx, notice):
                continue
            data = {
                "notice": message_notice(notice),
                "deadline": message_deadline(deadline.kind.value, deadline.on, (deadline.on - today).days),
            }
            told += enqueue_once(tx, mint(EVENT, data, now), names, _episode(notice, deadline))
    return told


def _waits(tx: Transaction, notice: Notice) -> bool:
    cases = [tx.cases.get(case_id) for case_id in notice.case_ids]
    return any(case is not None and case.state is CaseState.NOTICE_SENT for case in cases)


def _episode(notice: Notice, deadline: Deadline) -> str:
    return f"{EVENT}:{notice.id}:{deadline.kind.value}:{deadline.on}"
