"""What the daemon does: operators that use your works, sources and what was seen, messages, audit log, settings."""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from guardian.cases.priority import points_of_rank
from guardian.cases.reading import operator_detail, operator_named
from guardian.delivery.floods import drop_flood, held_floods, release_flood
from guardian.delivery.sending import delivery_numbered, retry_now
from guardian.model import Actor, Permission, Task, TaskKind, TaskState
from guardian.sources.overview import listed_source
from guardian.sources.requests import ask_for_scan, find_source
from guardian.sources.settings import SourceSettings
from guardian.store import Transaction
from guardian.views.cases import case_json
from guardian.views.configuration import setting_group_json
from guardian.views.deliveries import delivery_json, subject_of
from guardian.views.operators import operator_detail_json, operator_json
from guardian.views.people import audit_line_json
from guardian.views.sources import listed_source_json, sighting_json, skipped_json
from guardian.views.timestamps import json_timestamp
from guardian.web.api import cursors, schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.dependencies import services_of
from guardian.web.api.inputs import Input, Name, PageQuery, Text
from guardian.web.api.routing import GuardedRoute, UnrememberedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import Desk, desk_of
from guardian.web.overviews import overview_json, read_overview
from guardian.web.source_trial import try_source

router = APIRouter(route_class=GuardedRoute)
unremembered = APIRouter(route_class=UnrememberedRoute)

CaseReader = Annotated[Actor, Depends(permitted(Permission.CASES_READ))]
Watcher = Annotated[Actor, Depends(permitted(Permission.OPERATIONS_READ))]
Retrier = Annotated[Actor, Depends(permitted(Permission.OPERATIONS_WRITE))]
Scanner = Annotated[Actor, Depends(permitted(Permission.SOURCES_SCAN))]
Admin = Annotated[Actor, Depends(permitted(Permission.PEOPLE))]


class OperatorQuery(Input):
    """Which operator is wanted."""

    operator: Name | None = Field(None, description="Only this one, with its cases, licences and contacts.")
    words: Name | None = Field(None, description="Text in its name.")
    limit: int | None = Field(None, ge=1, le=500, description="How many at most; without it, all.")
    cursor: Text | None = Field(None, max_length=600, description="`next_cursor` of the page before.")


class DeliveryQuery(PageQuery):
    """Which messages are wanted."""

    state: TaskState | None = None


class AuditQuery(PageQuery):
    """Which lines of the audit log are wanted."""

    subject: Name | None = Field(None, description="Only about the case, asset, person... of this id.")
    since: date | None = Field(None, description="Of this day (UTC) or later.")


class FloodEnd(StrEnum):
    """What becomes of messages that are held."""

    RELEASE = "release"
    DROP = "drop"


class FloodDecision(Input):
    """What becomes of which messages that are held."""

    about: Name = Field(description="As GET /api/v1/floods names it.", examples=["work_9f8e7d6c5b4a39281706"])
    decision: FloodEnd


@router.get(
    "/operators",
    tags=["operators"],
    summary="List operators",
    response_model=schemas.Operators,
    responses=problems(),
    operation_id="list_operators",
)
def list_operators(request: Request, actor: CaseReader, query: Annotated[OperatorQuery, Query()]) -> dict[str, Any]:
    """Return who uses your works, the most urgent first; of one that is named all that is known."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.store.read() as tx:
        if query.operator is None:
            return _operators(tx, query)
        platforms = desk.services.settings.platforms if desk.services is not None else ()
        detail = operator_detail(tx, operator_named(query.operator, platforms), now.date())
    cases = [case_json(case, asset, points_of_rank(case.rank, now)) for case, asset in detail.cases]
    return {"items": [operator_detail_json(detail, cases)], "next_cursor": None}


@router.get(
    "/overview",
    tags=["operators"],
    summary="Look at the whole",
    response_model=schemas.Overview,
    responses=problems(),
    operation_id="get_overview",
)
def get_overview(request: Request, actor: CaseReader) -> dict[str, Any]:
    """Return the last twelve weeks, how fast was decided, the cases now, who uses most, and what was seen."""
    return overview_json(read_overview(desk_of(request), request.app.state.read_coverage()))


@router.get(
    "/sources",
    tags=["sources"],
    summary="List sources",
    response_model=schemas.Sources,
    responses=problems(),
    operation_id="list_sources",
)
def list_sources(request: Request, actor: Watcher) -> dict[str, Any]:
    """Return the configured sources: when each is scanned, its last scan and its next one."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        is_watching = any(process.command == "guardian run" for process in tx.processes.living())
        listed = [listed_source(tx, source, desk.clock(), is_watching=is_watching) for source in desk.sources]
    return {"items": [listed_source_json(one) for one in listed]}


@router.post(
    "/sources/{name}/scan",
    tags=["sources"],
    summary="Scan a source now",
    response_model=schemas.ScanAsked,
    responses=problems(404),
    operation_id="scan_source",
    status_code=202,
)
def scan_source(request: Request, actor: Scanner, name: Annotated[str, Path(max_length=64)]) -> dict[str, Any]:
    """Have a source scanned as soon as can be, whatever its rhythm says, after a scan that runs now.

    The request is kept until a scan has begun; `last` of the source says what came of it.
    """
    desk = desk_of(request)
    source = _source(desk, name)
    with desk.store.begin() as tx:
        asked = ask_for_scan(tx, actor, source, desk.clock())
    return {"source": asked.source, "at": json_timestamp(asked.at), "by": asked.by}


@unremembered.post(
    "/sources/{name}/try",
    tags=["sources"],
    summary="Try a source",
    response_model=schemas.SourceTried,
    responses=problems(404),
    operation_id="try_source",
)
async def try_a_source(request: Request, actor: Scanner, name: Annotated[str, Path(max_length=64)]) -> dict[str, Any]:
    """Look at a source now, and return what it would yield and why each thing is left out.

    Nothing is recorded or compared. `complete` is false when not all was seen: the source could not be read, something
    that is left out may hold a copy, or there is more than one answer takes (`detail` says so). Of a crawl a few pages
    are seen.
    """
    desk = desk_of(request)
    source = _source(desk, name)
    found = await try_source(desk, services_of(desk), actor, source)
    return {
        "source": found.name,
        "pictures": [sighting_json(one) for one in found.pictures],
        "left_out": [skipped_json(one) for one in found.left_out],
        "complete": not found.cut and not any(one.reason.may_hide_a_copy for one in found.left_out),
        "detail": found.cut or None,
    }


@router.get(
    "/coverage",
    tags=["sources"],
    summary="What was seen",
    response_model=schemas.Coverages,
    responses=problems(),
    operation_id="list_coverage",
)
async def list_coverage(request: Request, actor: Watcher) -> dict[str, Any]:
    """Return for each source what its last scans saw, and what they did not."""
    return {"items": await run_in_threadpool(request.app.state.read_coverage)}


@router.get(
    "/deliveries",
    tags=["deliveries"],
    summary="List messages",
    response_model=schemas.Deliveries,
    responses=problems(),
    operation_id="list_deliveries",
)
def list_deliveries(request: Request, actor: Watcher, query: Annotated[DeliveryQuery, Query()]) -> dict[str, Any]:
    """Return messages to your destinations, the newest first: on their way, accepted, or given up (`dead`)."""
    kind = "deliveries"
    before = int(cursors.read(query.cursor, kind, (int,))[0]) if query.cursor is not None else None
    with desk_of(request).store.read() as tx:
        found = tx.tasks.list(TaskKind.DELIVER, query.state, query.limit + 1, before=before)
        items = [_delivery(tx, task) for task in found[: query.limit]]
    next_cursor = cursors.written(kind, items[-1]["id"]) if len(found) > query.limit else None
    return {"items": items, "next_cursor": next_cursor}


@router.post(
    "/deliveries/{number}/retry",
    tags=["deliveries"],
    summary="Send a message again",
    response_model=schemas.Delivery,
    responses=problems(404, 409),
    operation_id="retry_delivery",
)
def retry_delivery(request: Request, actor: Retrier, number: int) -> dict[str, Any]:
    """Try a message again now that was given up or waits for its next try; one that was accepted stays as it is."""
    desk = desk_of(request)
    with desk.store.begin() as tx:
        task = delivery_numbered(tx, number)
        if task is None:
            raise not_found(f"there is no message {number}; GET /api/v1/deliveries lists them")
        retry_now(tx, actor, task, desk.clock())
        return _delivery(tx, tx.tasks.get(number) or task)


@router.get(
    "/floods",
    tags=["deliveries"],
    summary="List what is held",
    response_model=schemas.Floods,
    responses=problems(),
    operation_id="list_floods",
)
def list_floods(request: Request, actor: Watcher) -> dict[str, Any]:
    """Return what there were too many messages about in an hour (a work or a rule), and how many of them are held."""
    with desk_of(request).store.read() as tx:
        return {"items": [{"about": about, "held": number} for about, number in held_floods(tx).items()]}


@router.post(
    "/floods/decisions",
    tags=["deliveries"],
    summary="Send or drop what is held",
    response_model=schemas.FloodEnded,
    responses=problems(),
    operation_id="decide_flood",
)
def decide_flood(request: Request, actor: Retrier, body: FloodDecision) -> dict[str, Any]:
    """Send the messages that are held about a work or a rule, or never send them."""
    desk = desk_of(request)
    end = release_flood if body.decision is FloodEnd.RELEASE else drop_flood
    with desk.store.begin() as tx:
        number = end(tx, actor, body.about, desk.clock())
    return {"about": body.about, "decision": body.decision.value, "messages": number}


@router.get(
    "/audit",
    tags=["audit"],
    summary="Read the audit log",
    response_model=schemas.AuditLines,
    responses=problems(),
    operation_id="list_audit",
)
def list_audit(request: Request, actor: Admin, query: Annotated[AuditQuery, Query()]) -> dict[str, Any]:
    """Return lines of the audit log in their order: who did what, when and from where."""
    kind = "audit"
    after = int(cursors.read(query.cursor, kind, (int,))[0]) if query.cursor is not None else 0
    since = datetime.combine(query.since, time(), UTC) if query.since is not None else None
    found = []
    with desk_of(request).store.read() as tx:
        for line in tx.audit.lines(subject=query.subject, since=since, after=after):
            found.append(line)
            if len(found) > query.limit:
                break
        head = tx.audit.head()
    shown = found[: query.limit]
    next_cursor = cursors.written(kind, shown[-1].number) if len(found) > query.limit else None
    items = [audit_line_json(line) for line in shown]
    return {"items": items, "next_cursor": next_cursor, "head": str(head) if head is not None else None}


@router.get(
    "/settings",
    tags=["settings"],
    summary="Read the configuration",
    response_model=schemas.Settings,
    responses=problems(),
    operation_id="list_settings",
)
def list_settings(request: Request, actor: Admin) -> dict[str, Any]:
    """Return the configuration that is at work: what each setting is for, and where it was written. No secrets."""
    groups = desk_of(request).configuration
    if not groups:
        raise HTTPException(503, "the configuration is not at hand here; ask the daemon (`guardian run`)")
    return {"items": [setting_group_json(group) for group in groups]}


def _operators(tx: Transaction, query: OperatorQuery) -> dict[str, Any]:
    """Return a page of operators; all of them when the query sets no limit."""
    kind = "operators"
    after = None
    if query.cursor is not None:
        rank, name = cursors.read(query.cursor, kind, (float, str))
        after = float(rank), str(name)
    one_more = query.limit + 1 if query.limit is not None else None
    found = tx.operators.summaries(limit=one_more, words=query.words or "", after=after)
    shown = found[: query.limit]
    next_cursor = cursors.written(kind, shown[-1].rank, shown[-1].operator) if len(found) > len(shown) else None
    return {"items": [operator_json(one) for one in shown], "next_cursor": next_cursor}


def _source(desk: Desk, name: str) -> SourceSettings:
    source = find_source(desk.sources, name)
    if source is None:
        raise not_found("there is no source of this name; GET /api/v1/sources lists them")
    return source


def _delivery(tx: Transaction, task: Task) -> dict[str, Any]:
    message = tx.messages.get(task.message_id) if task.message_id is not None else None
    is_held = task.state is TaskState.DUE and task.destination in tx.destinations.disabled()
    return delivery_json(task, subject_of(message) if message is not None else None, is_held=is_held)
