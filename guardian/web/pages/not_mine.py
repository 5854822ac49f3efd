"""Asks before pictures are called not one's own where that closes other cases too: shows which."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.cases.queue import QueuedCase, queued
from guardian.web.desk import desk_of
from guardian.web.pages.deciding import DecisionContext, RequestedDecision, closed_besides
from guardian.web.rendering import page

_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class PostedForm:
    """The form that made a decision, to be sent again: where to, and its fields beside the decision."""

    path: str
    fields: Sequence[tuple[str, str]]


async def ask_if_sure(
    request: Request, asked: RequestedDecision, case_ids: Sequence[str], context: DecisionContext, posted: PostedForm
) -> Response | None:
    """Return a page that shows what else a decision closes, and sends it again; None where it closes nothing else.

    Raises UsageError as the decision would.
    """
    if not asked.is_not_mine:
        return None
    desk = desk_of(request)

    def read() -> tuple[int, tuple[QueuedCase, ...]]:
        with desk.store.read() as tx:
            closed = closed_besides(tx, asked, case_ids, context)
            return len(closed), queued(tx, closed[:_MOST_SHOWN], desk.clock())

    number, shown = await run_in_threadpool(read)
    if not number:
        return None
    return page(
        request, "not_mine.html", asked=asked, meant=len(case_ids), closed=shown, closed_count=number, posted=posted
    )
