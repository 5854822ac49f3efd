"""Notices: drafted, considered, approved, recorded as sent; rechecks and the time line of a case. Nothing is sent."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from guardian.model import Actor, Case, Permission
from guardian.model.notices import Notice, NoticeKind, NoticeLanguage, NoticeState
from guardian.notices import steps
from guardian.notices.copies import keep_copy
from guardian.notices.documents import mail_of
from guardian.notices.drafting import DraftRequest, draft
from guardian.notices.steps import StepAuthor
from guardian.notices.timeline import timeline_of
from guardian.scan.recheck.cases import RecheckReason, recheck_case
from guardian.scan.recheck.notice_addresses import dead_addresses, recipient_doubt
from guardian.scan.recheck.on_request import ask_for_recheck, ask_to_verify
from guardian.store import Transaction
from guardian.tasks.user_requests import request_of
from guardian.views.notices import notice_json, recheck_json
from guardian.views.timelines import timeline_json
from guardian.views.timestamps import json_timestamp
from guardian.web.api import cursors
from guardian.web.api import notice_schemas as schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.dependencies import services_of
from guardian.web.api.inputs import IdInPath, Input, Name, Note, PageQuery
from guardian.web.api.routing import GuardedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import Desk, desk_of

router = APIRouter(tags=["notices"], route_class=GuardedRoute)

_KIND = "notices"

Reader = Annotated[Actor, Depends(permitted(Permission.CASES_READ))]
Writer = Annotated[Actor, Depends(permitted(Permission.CASES_WRITE))]


class NoticeQuery(PageQuery):
    """Which notices are wanted."""

    operator: Name | None = Field(None, description="To this operator.")
    case: Name | None = Field(None, description="About this case.")
    state: NoticeState | None = None


class NewNotice(Input):
    """A notice that is to be drafted, about cases of one operator."""

    cases: list[Name] = Field(min_length=1, max_length=200)
    kind: NoticeKind
    language: NoticeLanguage | None = None
    recipient: Name | None = Field(
        None, description="A mail address, or a name. Letters: whom the site names, if clear."
    )
    fee: Name | None = Field(None, description="What a licence costs; for a licence-offer.")
    remark: Note | None = None


class CheckLicence(Input):
    """No licence covers the uses: what was looked at to be sure of that."""

    step: Literal["check_licence"]
    words: Note


class Consider(Input):
    """No exception applies (fair use, quotation, parody): why."""

    step: Literal["consider"]
    words: Note


class Approve(Input):
    """It may go out."""

    step: Literal["approve"]
    note: Note | None = None


class Verify(Input):
    """Look now whether all its addresses are live."""

    step: Literal["verify"]
    later: bool = Field(False, description="Have the daemon do it; `history` then says what came of it.")


class MarkSent(Input):
    """A person has sent it. guardian's own mail draft is kept as the copy."""

    step: Literal["sent"]
    to: Name
    note: Note | None = None


class Counter(Input):
    """A counter notice was received."""

    step: Literal["counter"]
    received: date
    note: Note | None = None


class Withdraw(Input):
    """It is withdrawn, sent or not."""

    step: Literal["withdraw"]
    note: Note | None = None


Step = Annotated[
    CheckLicence | Consider | Approve | Verify | MarkSent | Counter | Withdraw, Field(discriminator="step")
]


@router.get(
    "/notices",
    summary="List notices",
    response_model=schemas.Notices,
    responses=problems(),
    operation_id="list_notices",
)
def list_notices(request: Request, actor: Reader, query: Annotated[NoticeQuery, Query()]) -> dict[str, Any]:
    """Return a page of notices, the newest first."""
    after = str(cursors.read(query.cursor, _KIND, (str,))[0]) if query.cursor is not None else None
    with desk_of(request).store.read() as tx:
        # One more than is wanted says whether there is a next page.
        found = tx.notices.list(
            operator=query.operator, case_id=query.case, state=query.state, limit=query.limit + 1, after=after
        )
    shown = found[: query.limit]
    next_cursor = cursors.written(_KIND, shown[-1].id) if len(found) > query.limit else None
    return {"items": [notice_json(one) for one in shown], "next_cursor": next_cursor}


@router.post(
    "/notices",
    summary="Draft a notice",
    response_model=schemas.Notice,
    responses=problems(409, 413),
    operation_id="draft_notice",
)
def draft_notice(request: Request, actor: Writer, body: NewNotice) -> dict[str, Any]:
    """Draft a notice about cases of one operator. Nothing is sent; `missing` names what its text lacks."""
    desk = desk_of(request)
    wanted = DraftRequest(body.kind, actor.name, body.language, body.recipient, body.fee, body.remark)
    drafted = draft(desk.store, body.cases, wanted, desk.notice_config, desk.clock(), actor)
    return _object_of(desk, drafted.notice.id) | {
        "left_out": list(drafted.left_out),
        "doubts": list(drafted.doubts),
    }


@router.get(
    "/notices/{notice_id}",
    summary="Show a notice",
    response_model=schemas.Notice,
    responses=problems(404),
    operation_id="get_notice",
)
def get_notice(request: Request, actor: Reader, notice_id: IdInPath) -> dict[str, Any]:
    """Return a notice with its text, and what has to be done before it may be recorded as sent."""
    return _object_of(desk_of(request), notice_id)


@router.post(
    "/notices/{notice_id}/steps",
    summary="Take a step with a notice",
    response_model=schemas.Notice,
    responses=problems(404, 409, 413),
    operation_id="step_notice",
)
async def step_notice(request: Request, actor: Writer, notice_id: IdInPath, body: Step) -> dict[str, Any]:
    """Record what was considered, approved, sent, countered or withdrawn; or look whether its addresses are live."""
    desk = desk_of(request)
    change = await _change_of(desk, notice_id, body, StepAuthor(actor.name, desk.clock(), actor))

    def take(tx: Transaction) -> None:
        _notice(tx, notice_id)
        change(tx)

    def write() -> dict[str, Any]:
        desk.store.run(take)
        return _object_of(desk, notice_id)

    return await run_in_threadpool(write)


@router.get(
    "/cases/{case_id}/timeline",
    summary="Tell the story of a case",
    response_model=schemas.Timeline,
    responses=problems(404),
    operation_id="get_timeline",
)
def get_timeline(request: Request, actor: Reader, case_id: IdInPath) -> dict[str, Any]:
    """Return all that happened to a case and what is still to come, in the order of time."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        case = _case(tx, case_id)
        return timeline_json(case.id, timeline_of(tx, case, desk.clock()))


@router.get(
    "/cases/{case_id}/rechecks",
    summary="List the rechecks of a case",
    response_model=schemas.Rechecks,
    responses=problems(404),
    operation_id="list_rechecks",
)
def list_rechecks(request: Request, actor: Reader, case_id: IdInPath) -> dict[str, Any]:
    """Return every look at all places of a case, the oldest first."""
    with desk_of(request).store.read() as tx:
        return {"items": [recheck_json(one) for one in tx.notices.rechecks_of(_case(tx, case_id).id)]}


@router.post(
    "/cases/{case_id}/rechecks",
    summary="Look again at a case",
    response_model=schemas.Recheck,
    responses=problems(404, 409, 503)
    | {202: {"model": schemas.LookAsked, "description": "With `later`: the daemon looks as soon as it can."}},
    operation_id="recheck_case",
)
async def recheck(
    request: Request,
    actor: Writer,
    case_id: IdInPath,
    later: Annotated[
        bool, Query(description="Answer at once; the list of rechecks then says what came of it.")
    ] = False,
) -> Any:
    """Look again at all places of a case now: still there, gone, moved or back?

    It takes as long as its sites do. With `later` the daemon looks, and nobody waits. One that is owed is not owed
    twice: whoever asks again gets the same answer.
    """
    desk = desk_of(request)
    if later:
        asked = await run_in_threadpool(_ask_for_recheck, desk, case_id, actor)
        return JSONResponse(asked, status_code=202)

    def read() -> Case:
        with desk.store.read() as tx:
            return _case(tx, case_id)

    case = await run_in_threadpool(read)
    sources = {source.name: source for source in desk.sources}
    looked = await recheck_case(services_of(desk), sources, case, RecheckReason(asked_by=actor.name))
    if looked is None:
        raise LookupError("a recheck that was asked for is always written")
    return recheck_json(looked)


def _ask_for_recheck(desk: Desk, case_id: str, actor: Actor) -> dict[str, Any]:
    # Without a daemon nobody would ever look.
    services_of(desk)
    with desk.store.begin() as tx:
        case = _case(tx, case_id)
        owed = ask_for_recheck(tx, case.id, actor, desk.clock())
        return {"case": case.id, "at": json_timestamp(owed.created_at), "by": request_of(owed).by.name}


async def _change_of(desk: Desk, notice_id: str, step: Step, by: StepAuthor) -> Callable[[Transaction], object]:
    """Return what a step writes; what it needs of the network or the disk is done here."""
    settings = desk.notice_config.settings
    match step:
        case CheckLicence():
            return lambda tx: steps.check_licence(tx, notice_id, step.words, by)
        case Consider():
            return lambda tx: steps.consider(tx, notice_id, step.words, by)
        case Approve():
            return lambda tx: steps.approve(tx, notice_id, by, settings, step.note)
        case Verify():
            notice = await run_in_threadpool(_read, desk, notice_id)
            if step.later:
                services_of(desk)
                return lambda tx: ask_to_verify(tx, notice.id, by.actor, by.at)
            dead, doubt = await dead_addresses(services_of(desk), notice), await recipient_doubt(notice)
            return lambda tx: steps.note_verified(tx, notice_id, dead, by, doubt)
        case MarkSent():
            notice = await run_in_threadpool(_read, desk, notice_id)
            content = await run_in_threadpool(mail_of, notice, desk.notice_config.owner)
            return lambda tx: steps.mark_sent(
                tx, notice_id, step.to, lambda: keep_copy(tx, desk.notice_copies, content), by, settings, step.note
            )
        case Counter():
            return lambda tx: steps.note_counter(tx, notice_id, step.received, by, settings, step.note)
        case Withdraw():
            return lambda tx: steps.withdraw(tx, notice_id, by, step.note)


def _object_of(desk: Desk, notice_id: str) -> dict[str, Any]:
    with desk.store.read() as tx:
        notice = _notice(tx, notice_id)
        points = steps.open_points(tx, notice, desk.notice_config.settings, desk.clock()) if notice.is_open else []
    return notice_json(notice) | {
        "text": notice.text,
        "form": notice.form,
        "open_points": [point.words for point in points],
    }


def _read(desk: Desk, notice_id: str) -> Notice:
    with desk.store.read() as tx:
        return _notice(tx, notice_id)


def _notice(tx: Transaction, notice_id: str) -> Notice:
    notice = tx.notices.get(notice_id)
    if notice is None:
        raise not_found(f"there is no notice {notice_id}; GET /api/v1/notices lists them")
    return notice


def _case(tx: Transaction, case_id: str) -> Case:
    case = tx.cases.get(case_id)
    if case is None:
        raise not_found(f"there is no case {case_id}; GET /api/v1/cases lists them")
    return case
