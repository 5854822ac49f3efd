"""Notices: drafted from cases, what has to come before they go out, and what became of them. Nothing is sent here."""

from collections.abc import Callable, Sequence
from datetime import date
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.errors import GuardianError, UsageError
from guardian.model import BrowserSession, Case, Permission, Task, TaskKind
from guardian.model.notices import Notice, NoticeKind, NoticeLanguage, OpenPoint
from guardian.notices import steps
from guardian.notices.copies import keep_copy, sent_copy
from guardian.notices.documents import documents_of, mail_of
from guardian.notices.drafting import DraftRequest, doubts_about, draft, reference_of
from guardian.notices.recipients import Recipient, recipients_of
from guardian.notices.steps import StepAuthor
from guardian.notices.timeline import timeline_of
from guardian.scan.recheck.on_request import ask_for_recheck, ask_to_verify
from guardian.store import Transaction
from guardian.tasks.user_requests import may_ask_again, owed_text
from guardian.views.notices import KIND_TITLES, form_blocks, line_text, next_day_text
from guardian.views.timelines import TimelineEntry, entry_text
from guardian.views.timestamps import page_timestamp
from guardian.web.auth.requests import person_acting
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may
from guardian.web.queue_filter import queue_filter_kept_in
from guardian.web.rendering import page

router = APIRouter(include_in_schema=False)

READER = Depends(person_may(Permission.CASES_READ))
WRITER = Depends(person_may(Permission.CASES_WRITE))

_DONE_TEXTS = {
    "consider": "Recorded.",
    "approve": "Approved.",
    "verify": "Asked for.",
    "sent": "Recorded as sent.",
    "counter": "The counter notice is recorded.",
    "withdraw": "Withdrawn.",
}
"""What is said after each step."""

_MOST = 500
_LARGEST_COPY = 50_000_000


@router.get("/notices", dependencies=[READER])
async def show_notices(request: Request, operator: str = Query("", max_length=500)) -> Response:
    """List notices, the newest first."""
    desk = desk_of(request)

    def read() -> list[Notice]:
        with desk.store.read() as tx:
            return tx.notices.list(operator=operator or None, limit=_MOST)

    found = await run_in_threadpool(read)
    days = {one.id: next_day_text(one) for one in found}
    return page(request, "notices.html", notices=found, days=days, operator=operator, kind_titles=KIND_TITLES)


@router.post("/notices")
async def draft_notice(
    request: Request,
    session: BrowserSession = WRITER,
    case: list[str] = Form([], max_length=200),  # noqa: B008 - FastAPI's way
    kind: NoticeKind = Form(),  # noqa: B008
    language: NoticeLanguage = Form(),  # noqa: B008
    to: str = Form("", max_length=LONGEST_FIELD),
    fee: str = Form("", max_length=LONGEST_FIELD),
    remark: str = Form("", max_length=LONGEST_FIELD),
) -> Response:
    """Draft a notice about cases of one operator."""
    desk = desk_of(request)
    if not case:
        raise UsageError("choose at least one case")
    by = _by(request, session)
    wanted = DraftRequest(kind, by.name, language, to or None, fee or None, remark or None)
    drafted = await run_in_threadpool(draft, desk.store, case, wanted, desk.notice_config, by.at, by.actor)
    return RedirectResponse(f"/notices/{drafted.notice.id}", status_code=303)


@router.get("/notices/{notice_id}", dependencies=[READER])
async def show_notice(request: Request, notice_id: str, done: str = "") -> Response:
    """Show a notice with its history and what is still to do; `done` is the step that was just taken."""
    desk = desk_of(request)

    def read() -> tuple[Notice, list[OpenPoint], list[str], tuple[Recipient, ...], Sequence[Task]]:
        with desk.store.read() as tx:
            notice = _notice(tx, notice_id)
            points = steps.open_points(tx, notice, desk.notice_config.settings, desk.clock()) if notice.is_open else []
            doubts = doubts_about(tx, notice) if notice.is_open else []
            owed = tx.tasks.owed(TaskKind.VERIFY_NOTICE, notice.id)
            return notice, points, doubts, recipients_of(tx, desk.vault, notice.case_ids, notice.kind), owed

    notice, points, doubts, recipients, looks_owed = await run_in_threadpool(read)
    reference = reference_of(notice.id)
    return page(
        request,
        "notice.html",
        notice=notice,
        points=[point.words for point in points],
        doubts=doubts,
        form_blocks=form_blocks(notice.form),
        recipients=recipients,
        looks=[owed_text(task, "A look at its addresses") for task in looks_owed],
        may_look=may_ask_again(looks_owed),
        reference=reference,
        kind_title=KIND_TITLES[notice.kind],
        history=[line_text(line, page_timestamp) for line in notice.history],
        files=[f"{reference}.{suffix}" for suffix in ("pdf", "eml", "txt", "form.txt")],
        done=_DONE_TEXTS.get(done, ""),
    )


@router.get("/notices/{notice_id}/files/{name}", dependencies=[READER])
async def get_file(request: Request, notice_id: str, name: str) -> Response:
    """Return a notice as one of its files."""
    desk = desk_of(request)
    notice = await run_in_threadpool(_read_notice, desk, notice_id)
    documents = await run_in_threadpool(documents_of, notice, desk.notice_config.owner)
    document = next((one for one in documents if one.name == name), None)
    if document is None:
        raise HTTPException(404, f"there is no file {name[:80]} of {notice.id}")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(document.name)}"}
    return Response(document.content, media_type=document.media_type, headers=headers)


@router.get("/notices/{notice_id}/copy", dependencies=[READER])
async def get_copy(request: Request, notice_id: str) -> Response:
    """Return what was sent, as it was kept."""
    desk = desk_of(request)
    notice = await run_in_threadpool(_read_notice, desk, notice_id)
    try:
        _, content = await run_in_threadpool(sent_copy, notice, desk.notice_copies)
    except UsageError:
        raise
    except GuardianError as error:
        # Lost, damaged, or kept by another machine. Where the data folder lies is not for everybody who signs in.
        raise HTTPException(404, f"the copy of {notice.id} is not whole in the data folder of this machine") from error
    headers = {"content-disposition": f'attachment; filename="{reference_of(notice.id)}.sent"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post("/notices/{notice_id}/consider")
async def consider(
    request: Request,
    notice_id: str,
    session: BrowserSession = WRITER,
    licence: str = Form("", max_length=LONGEST_FIELD),
    exceptions: str = Form("", max_length=LONGEST_FIELD),
) -> Response:
    """Record somebody's licence check and consideration of exceptions."""
    by = _by(request, session)

    def change(tx: Transaction) -> None:
        if not licence.strip() and not exceptions.strip():
            raise UsageError("write what was considered")
        if licence.strip():
            steps.check_licence(tx, notice_id, licence, by)
        if exceptions.strip():
            steps.consider(tx, notice_id, exceptions, by)

    return await _changed(request, notice_id, change)


@router.post("/notices/{notice_id}/approve")
async def approve(
    request: Request, notice_id: str, session: BrowserSession = WRITER, note: str = Form("", max_length=LONGEST_FIELD)
) -> Response:
    """Let a notice go out."""
    by, settings = _by(request, session), desk_of(request).notice_config.settings
    return await _changed(request, notice_id, lambda tx: steps.approve(tx, notice_id, by, settings, note or None))


@router.post("/notices/{notice_id}/verify")
async def verify(request: Request, notice_id: str, session: BrowserSession = WRITER) -> Response:
    """Have the daemon look whether all addresses of a notice are live; its history then says what came of it."""
    desk, by = desk_of(request), _by(request, session)
    notice = await run_in_threadpool(_read_notice, desk, notice_id)
    if desk.services is None:
        raise UsageError("no site can be visited from here; ask the daemon")
    return await _changed(request, notice_id, lambda tx: ask_to_verify(tx, notice.id, by.actor, by.at))


@router.post("/notices/{notice_id}/sent")
async def sent(
    request: Request,
    notice_id: str,
    session: BrowserSession = WRITER,
    to: str = Form("", max_length=LONGEST_FIELD),
    note: str = Form("", max_length=LONGEST_FIELD),
    sent_copy: UploadFile | None = None,
) -> Response:
    """Record that somebody has sent a notice, with a copy of what was sent."""
    desk, by = desk_of(request), _by(request, session)
    notice = await run_in_threadpool(_read_notice, desk, notice_id)
    uploaded = await sent_copy.read(_LARGEST_COPY + 1) if sent_copy is not None else b""
    if len(uploaded) > _LARGEST_COPY:
        raise HTTPException(413, f"a copy has at most {_LARGEST_COPY} bytes")

    # Made before the database is locked.
    content = uploaded or await run_in_threadpool(mail_of, notice, desk.notice_config.owner)

    def change(tx: Transaction) -> None:
        def keep() -> str:
            return keep_copy(tx, desk.notice_copies, content)

        steps.mark_sent(tx, notice_id, to, keep, by, desk.notice_config.settings, note or None)

    return await _changed(request, notice_id, change)


@router.post("/notices/{notice_id}/counter")
async def counter(
    request: Request,
    notice_id: str,
    session: BrowserSession = WRITER,
    received: date = Form(),  # noqa: B008 - FastAPI's way
    note: str = Form("", max_length=LONGEST_FIELD),
) -> Response:
    """Record a counter notice."""
    by, settings = _by(request, session), desk_of(request).notice_config.settings
    return await _changed(
        request, notice_id, lambda tx: steps.note_counter(tx, notice_id, received, by, settings, note or None)
    )


@router.post("/notices/{notice_id}/withdraw")
async def withdraw(
    request: Request, notice_id: str, session: BrowserSession = WRITER, note: str = Form("", max_length=LONGEST_FIELD)
) -> Response:
    """Withdraw a notice, sent or not."""
    by = _by(request, session)
    return await _changed(request, notice_id, lambda tx: steps.withdraw(tx, notice_id, by, note or None))


@router.get("/cases/{case_id}/timeline", dependencies=[READER])
async def show_timeline(request: Request, case_id: str) -> Response:
    """Show the time line of a case."""
    desk = desk_of(request)

    def read() -> tuple[Case, str, list[TimelineEntry]] | None:
        with desk.store.read() as tx:
            case = tx.cases.get(case_id)
            if case is None:
                return None
            asset = tx.assets.get(case.asset_id)
            title = asset.title if asset is not None else case.asset_id
            return case, title, timeline_of(tx, case, desk.clock())

    found = await run_in_threadpool(read)
    if found is None:
        raise HTTPException(404, f"there is no case {case_id[:80]}")
    case, title, entries = found
    return page(request, "timeline.html", case=case, title=title, entries=[(one, entry_text(one)) for one in entries])


@router.post("/cases/{case_id}/recheck")
async def recheck(request: Request, case_id: str, session: BrowserSession = WRITER) -> Response:
    """Have the daemon look again at all places of a case, now; its page then says what came of it."""
    desk, by = desk_of(request), _by(request, session)

    def write() -> Case:
        with desk.store.begin() as tx:
            case = tx.cases.get(case_id)
            if case is None:
                raise HTTPException(404, f"there is no case {case_id[:80]}")
            if desk.services is None:
                raise UsageError("no site can be visited from here; ask the daemon")
            ask_for_recheck(tx, case.id, by.actor, by.at)
            return case

    case = await run_in_threadpool(write)
    kept = queue_filter_kept_in(request.query_params).kept
    return RedirectResponse(f"/cases/{case.id}{kept}#h-notices", status_code=303)


async def _changed(request: Request, notice_id: str, change: Callable[[Transaction], object]) -> Response:
    """Take a step, then lead back to the notice."""
    await run_in_threadpool(desk_of(request).store.run, change)
    step = request.url.path.rpartition("/")[2]
    return RedirectResponse(f"/notices/{notice_id}?done={step}", status_code=303)


def _read_notice(desk: Desk, notice_id: str) -> Notice:
    with desk.store.read() as tx:
        return _notice(tx, notice_id)


def _notice(tx: Transaction, notice_id: str) -> Notice:
    notice = tx.notices.get(notice_id)
    if notice is None:
        raise HTTPException(404, f"there is no notice {notice_id[:80]}")
    return notice


def _by(request: Request, session: BrowserSession) -> StepAuthor:
    return StepAuthor(session.person.name, desk_of(request).clock(), person_acting(request, session))
