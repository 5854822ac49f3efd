"""Operators: who uses most, and all that is known of one of them, to decide about all of its cases at once."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.cases.priority import points_of_rank
from guardian.cases.reading import operator_detail
from guardian.errors import UsageError
from guardian.model import PURSUED_STATES, OperatorSummary, Permission
from guardian.views.licences import TODAY_TEXTS, grant_text, scope_text
from guardian.views.operators import OperatorDetail, operator_text
from guardian.web.api.answers import not_found
from guardian.web.desk import desk_of
from guardian.web.pages.access import person_may
from guardian.web.pages.notice_panel import NoticePanel, panel_of_operator
from guardian.web.rendering import page

router = APIRouter(
    prefix="/operators", dependencies=[Depends(person_may(Permission.CASES_READ))], include_in_schema=False
)

_ON_A_PAGE = 200
_MOST = 500


@router.get("")
async def show_operators(
    request: Request, words: str = Query("", max_length=200), after: str = Query("", max_length=600)
) -> Response:
    """List the operators whose name has these words, the one with the most urgent case first."""
    desk = desk_of(request)
    words = words.strip()
    place = _place_of(after) if after else None

    def read() -> tuple[Sequence[OperatorSummary], int]:
        with desk.store.read() as tx:
            found = tx.operators.summaries(limit=_ON_A_PAGE + 1, words=words, after=place)
            return found, tx.operators.count(words)

    found, total = await run_in_threadpool(read)
    shown = found[:_ON_A_PAGE]
    following = None
    if len(found) > _ON_A_PAGE:
        following = urlencode({"words": words, "after": f"{shown[-1].rank!r}~{shown[-1].operator}"})
    return page(
        request,
        "operators.html",
        rows=[(one, operator_text(one)) for one in shown],
        total=total,
        words=words,
        following=following,
    )


@router.get("/show")
async def show_operator(request: Request, name: str = Query(max_length=500)) -> Response:
    """Show one operator; one without cases is not there."""
    desk = desk_of(request)
    now = desk.clock()

    def read() -> tuple[OperatorDetail, list[str], NoticePanel]:
        with desk.store.read() as tx:
            if not tx.operators.summaries(name):
                raise not_found(f"no case is about {name}")
            detail = operator_detail(tx, name, now.date())
            texts = []
            for licence, status in detail.licences:
                asset = tx.assets.get(licence.asset_id) if licence.asset_id else None
                texts.append(f"{grant_text(licence, scope_text(licence, asset))}: {TODAY_TEXTS[status]}")
            return detail, texts, panel_of_operator(tx, desk, name, detail.contacts)

    detail, licences, panel = await run_in_threadpool(read)
    pursued = [case.id for case, _ in detail.cases[:_MOST] if case.state in PURSUED_STATES]
    cases = [(case, asset, points_of_rank(case.rank, now)) for case, asset in detail.cases[:_MOST]]
    return page(
        request,
        "operator.html",
        detail=detail,
        text=operator_text(detail.summary),
        licences=licences,
        rows=cases,
        left_out=max(0, len(detail.cases) - _MOST),
        drafting=panel,
        cases=pursued,
    )


def _place_of(cursor: str) -> tuple[float, str]:
    rank, _, name = cursor.partition("~")
    try:
        return float(rank), name
    except ValueError as error:
        raise UsageError("this is no place in the list of operators; begin without one") from error
