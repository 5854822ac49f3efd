"""What a manager looks at once a week: new, decided, gone, returned; how fast; who uses most. CSV beside each."""

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.model import Permission
from guardian.views.overview import SERIES, csv_text, median_text
from guardian.web.desk import desk_of
from guardian.web.overviews import Overview, read_overview
from guardian.web.pages.access import person_may
from guardian.web.rendering import csv_file, page

router = APIRouter(
    prefix="/overview", dependencies=[Depends(person_may(Permission.CASES_READ))], include_in_schema=False
)


@router.get("")
async def show_overview(request: Request) -> Response:
    """Show the overview."""
    found = await run_in_threadpool(_read, request)
    most = max([1, *(count for week in found.weeks for count in week.counts.values())])
    return page(request, "overview.html", found=found, median=median_text(found.times), series=SERIES, most=most)


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
    return csv_file(name, text)


def _read(request: Request) -> Overview:
    return read_overview(desk_of(request), request.app.state.read_coverage())
