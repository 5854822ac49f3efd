"""Cases: listed a page at a time, and one with all that is shown of it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from guardian.cases.priority import points_of_rank
from guardian.cases.reading import case_detail, page_of_cases
from guardian.errors import UsageError
from guardian.model import Actor, Case, CaseFilter, CaseState, DismissReason, LicenceStatus, Permission, Severity
from guardian.store import Transaction
from guardian.store.case_order import CaseOrder, CasePlace, place_of
from guardian.urls.addresses import host_in
from guardian.views.cases import case_detail_json, case_json
from guardian.web.api import cursors, schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.inputs import IdInPath, Name, PageQuery
from guardian.web.api.routing import GuardedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import desk_of

router = APIRouter(prefix="/cases", tags=["cases"], route_class=GuardedRoute)

Reader = Annotated[Actor, Depends(permitted(Permission.CASES_READ))]


class CaseQuery(PageQuery):
    """Which cases are wanted: those to which all that is given applies."""

    state: list[CaseState] = Field([], description="In one of these states.")
    severity: list[Severity] = Field([], description="Of one of these severities.")
    reason: list[DismissReason] = Field([], description="Dismissed for one of these reasons.")
    host: Name | None = Field(None, description="This operator, or a host of one of its pages.")
    operator: Name | None = Field(None, description="Exactly this operator.")
    asset: Name | None = Field(None, description="About the work of this asset.")
    collection: Name | None = Field(None, description="About a work with an asset in this collection.")
    licence: Name | None = Field(None, description="A status that one of its uses has, or the id of a licence.")
    assignee: Name | None = None
    label: Name | None = None
    due_by: date | None = Field(None, description="Due on this day or earlier.")
    since: date | None = Field(None, description="Changed on this day (UTC) or later.")
    source: Name | None = Field(None, description="Seen by this source.")
    words: Name | None = Field(None, description="Text of the title, operator or note; words of pages or addresses.")
    confidence: float | None = Field(None, ge=0, le=1, description="At least so sure that it is a copy.")
    opened_from: date | None = Field(None, description="Opened on this day (UTC) or later.")
    opened_until: date | None = Field(None, description="Opened on this day (UTC) or earlier.")
    sort: CaseOrder = Field(
        CaseOrder.OPENED,
        description="The last opened first, the last changed, or the most urgent. Only the first order stands still "
        "while you read page after page: a case that is changed meanwhile may move in the others.",
    )


@router.get(
    "",
    summary="List cases",
    response_model=schemas.Cases,
    responses=problems(),
    operation_id="list_cases",
)
def list_cases(request: Request, actor: Reader, query: Annotated[CaseQuery, Query()]) -> dict[str, Any]:
    """Return a page of the cases to which all of the filters apply."""
    desk = desk_of(request)
    kind, types = f"cases.{query.sort}", (float if query.sort is CaseOrder.PRIORITY else str, str)
    after = _place(cursors.read(query.cursor, kind, types)) if query.cursor is not None else None

    with desk.store.read() as tx:
        # One more than is wanted says whether there is a next page.
        found = page_of_cases(tx, filter_of(query), query.sort, query.limit + 1, after)
        shown = found[: query.limit]
        items = [object_of(tx, case, desk.clock()) for case in shown]

    next_cursor = _cursor(kind, place_of(shown[-1], query.sort)) if len(found) > query.limit else None
    return {"items": items, "next_cursor": next_cursor}


@router.get(
    "/{case_id}",
    summary="Show a case",
    response_model=schemas.CaseDetail,
    responses=problems(404),
    operation_id="get_case",
)
def get_case(request: Request, response: Response, actor: Reader, case_id: IdInPath) -> dict[str, Any]:
    """Return a case with its findings and its history. Its ETag goes into the If-Match of a decision."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        case = case_of_id(tx, case_id)
        detail = case_detail(tx, case, desk.clock())
    response.headers["etag"] = etag_of(case)
    return case_detail_json(detail)


def case_of_id(tx: Transaction, case_id: str) -> Case:
    """Return a case by its whole id, or by that of one that was merged into it. Raises 404."""
    case = tx.cases.get(case_id)
    if case is None:
        raise not_found(f"there is no case {case_id}; GET /api/v1/cases lists them")
    return case


def object_of(tx: Transaction, case: Case, now: datetime) -> dict[str, Any]:
    """Return the object of a case."""
    return case_json(case, tx.assets.get(case.asset_id), points_of_rank(case.rank, now))


def etag_of(case: Case) -> str:
    """Return the ETag of a case: its version."""
    return f'"{case.version}"'


def filter_of(query: CaseQuery) -> CaseFilter:
    """Return what a query asks for. Raises UsageError for a host that is none."""
    host = query.host
    if host is not None and not host.startswith("folder:"):
        host = host_in(host)
        if not host:
            raise UsageError(f"{query.host!r} is not a host; write one such as thief.example")
    is_status = query.licence in list(LicenceStatus)
    return CaseFilter(
        states=tuple(query.state),
        severities=tuple(query.severity),
        asset_id=query.asset,
        collection=query.collection,
        licence=LicenceStatus(query.licence) if is_status and query.licence is not None else None,
        licence_id=query.licence if not is_status else None,
        since=_midnight(query.since),
        host=host,
        operator=query.operator,
        reasons=tuple(query.reason),
        assignee=query.assignee,
        label=query.label,
        due_by=query.due_by,
        source=query.source,
        words=query.words,
        confidence=query.confidence,
        opened_from=_midnight(query.opened_from),
        opened_before=_midnight(query.opened_until, later=True),
    )


def _midnight(day: date | None, *, later: bool = False) -> datetime | None:
    """Return the midnight (UTC) with which a day begins, or ends if `later`; None for no day."""
    if day is None:
        return None
    if later and day == date.max:
        raise UsageError(f"{day} is the last day there is: leave it out")
    return datetime.combine(day + timedelta(days=1) if later else day, time(), UTC)


def _cursor(kind: str, place: CasePlace) -> str:
    value = place.value.isoformat() if isinstance(place.value, datetime) else float(place.value)
    return cursors.written(kind, value, place.id)


def _place(parts: list[cursors.Part]) -> CasePlace:
    value, id_ = parts
    if not isinstance(value, str):
        return CasePlace(float(value), str(id_))
    try:
        return CasePlace(datetime.fromisoformat(value), str(id_))
    except ValueError as error:
        raise UsageError("this cursor is of no page of this list; leave it out to begin at the start") from error
