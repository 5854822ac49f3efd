"""Asks before one decision is made about all cases that a choice of the queue finds: how many, of whom, and which."""

from collections import Counter

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.cases.lookalikes import refuse_too_many
from guardian.cases.queue import QueuedCase, queued
from guardian.errors import UsageError
from guardian.model import Case
from guardian.web.desk import desk_of
from guardian.web.pages.deciding import DECISION_TEXTS, RequestedDecision
from guardian.web.queue_filter import QueueFilter
from guardian.web.rendering import page

MOST_AT_ONCE = 5_000
_MOST_SHOWN, _MOST_OPERATORS = 20, 10


async def ask_about_all(request: Request, asked: RequestedDecision, choice: QueueFilter, note: str) -> Response:
    """Return a page that shows what is chosen; its form decides about these cases as they are now, and no others.

    Raises UsageError where there are none, or too many for one decision.
    """
    desk = desk_of(request)

    def read() -> tuple[list[Case], tuple[QueuedCase, ...]]:
        with desk.store.read() as tx:
            found = tx.cases.queue(choice.filter(), MOST_AT_ONCE + 1)
            return found, queued(tx, found[:_MOST_SHOWN], desk.clock())

    found, shown = await run_in_threadpool(read)
    if not found:
        raise UsageError("no case is like this any more")
    if len(found) > MOST_AT_ONCE:
        raise UsageError(
            f"{MOST_AT_ONCE:,} cases at most are decided about at once; choose fewer, those of a month for example"
        )

    if asked.is_not_mine:
        # Before the page that asks: nobody shall read it for nothing.
        refuse_too_many(len(found))

    operators = Counter(case.operator for case in found)
    return page(
        request,
        "confirm_all.html",
        asked=asked,
        text=DECISION_TEXTS[asked.decision],
        choice=choice,
        note=note,
        count=len(found),
        selected=" ".join(f"{case.id}:{case.version}" for case in found),
        shown=shown,
        states=Counter(case.state for case in found).most_common(),
        operators=operators.most_common(_MOST_OPERATORS),
        operator_count=len(operators),
    )
