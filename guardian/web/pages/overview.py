"""What a manager looks at once a week: new, decided, gone, returned; how fast; who uses most. CSV beside each."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.model import CaseState, OperatorSummary, Permission
from guardian.views.overview import SERIES, Seen, Week, csv_text, median_text, seen_of, weeks_of
from guardian.web.desk import desk_of
from guardian.web.pages.access import person_may
from guardian.web.rendering import page

router = APIRouter(
    prefix="/overview", dependencies=[Depends(person_may(Permission.CASES_READ))], include_in_schema=False
)

_WEEKS = 12
_OPERATORS = 15


@dataclass(frozen=True, slots=True)
class _Overview:
    weeks: list[Week]
    median: str
    states: dict[CaseState, int]
    operators: list[OperatorSummary]
    seen: list[Seen]


@router.get("")
async def show_overview(request: Request) -> Response:
    """Show the overview."""
    found = await run_in_threadpool(_read, request)
    most = max([1, *(count for week in found.weeks for count in week.counts.values())])
    return page(request, "overview.html", found=found, series=SERIES, most=most)


@router.get("/{name}.csv")
async def download(request: Request, name: str) -> Response:
    """Send the numbers behind one picture as CSV."""
    found = await run_in_threadpool(_read, request)
    if name == "weeks":
        text = csv_text(["week", *SERIES], [[week.monday, *week.counts.values()] for week in found.weeks])
    elif name == "operators":
        rows = [[one.operator, one.pursued, one.cases, one.findings] for one in found.operators]
        text = csv_text(["operator", "waiting", "works", "places"], rows)
    elif name == "coverage":
        seen = [[one.source, one.compared, one.not_seen, one.trouble] for one in found.seen]
        text = csv_text(["source", "compared", "not seen", "trouble"], seen)
    elif name == "states":
        text = csv_text(["state", "cases"], [[state.value, number] for state, number in found.states.items()])
    else:
        raise HTTPException(404, "there is no such table")
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _read(request: Request) -> _Overview:
    desk = desk_of(request)
    now = desk.clock()
    # The sources that saw least of what there was come first.
    covered = [seen_of(one) for one in request.app.state.read_coverage()]
    seen = sorted(covered, key=lambda one: (one.share is not None, one.share or 0.0, one.source))
    since = now - timedelta(weeks=_WEEKS)
    with desk.store.read() as tx:
        return _Overview(
            weeks_of(tx.statistics.events(since), now, _WEEKS),
            median_text(tx.statistics.times_to_decision(since)),
            {state: tx.cases.count(state) for state in CaseState if state is not CaseState.RESOLVED},
            list(tx.cases.most_used_by(_OPERATORS)),
            seen,
        )
