"""Proof of a case: what was captured, a capture now, the hold, and the bundle to be downloaded."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from guardian.cases.capture_orders import ask_for_capture, order_of
from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError, UsageError
from guardian.evidence.keeper import opened_keeper
from guardian.evidence.retention import hold, release
from guardian.evidence.wishes import BundleWishes
from guardian.model import (
    Actor,
    BrowserSession,
    CaptureReason,
    Case,
    EvidenceCapture,
    Permission,
    TaskKind,
    TaskState,
)
from guardian.people.signing_in import actor_of
from guardian.store import Transaction
from guardian.views.evidence import capture_size_text, hold_text, reason_text
from guardian.web.auth.requests import address_of
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may

router = APIRouter(prefix="/cases", include_in_schema=False)

WRITER = Depends(person_may(Permission.CASES_WRITE))

_MOST_CAPTURES = 20
_MOST_OWED = 200
"""Captures that are looked through for one of a case; what somebody has just asked for is among the newest."""

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EvidencePanel:
    """What a case's page shows: the newest captures with their words, how many there are, whether one is owed.

    `is_asked`: whether somebody has asked for one that is owed; others may wait for hours until a site answers. `hold`:
    since when nothing of the case may be deleted, and why, in words; None where it may.
    """

    captures: Sequence[tuple[EvidenceCapture, str]]
    count: int
    is_owed: bool
    is_asked: bool
    hold: str | None
    can_export: bool


def panel_of_evidence(tx: Transaction, desk: Desk, case: Case) -> EvidencePanel:
    """Return what is shown of evidence on the page of a case."""
    captures = tx.evidence.of_case(case.id)
    held, owed = tx.holds.get(case.id), _owed(tx, case)
    newest = [(one, f"{reason_text(one)}; {capture_size_text(one)}") for one in captures[: -_MOST_CAPTURES - 1 : -1]]
    return EvidencePanel(
        newest,
        len(captures),
        bool(owed),
        CaptureReason.ASKED in owed,
        hold_text(held) if held is not None else None,
        desk.export is not None,
    )


@router.post("/{case_id}/capture")
async def capture_now(request: Request, case_id: str, session: BrowserSession = WRITER) -> Response:
    """Have the daemon capture the strongest use of a case as soon as it can."""
    desk = desk_of(request)

    def ask(tx: Transaction, case: Case, by: Actor) -> None:
        if CaptureReason.ASKED in _owed(tx, case):
            raise UsageError("somebody has asked for it already; the daemon takes it as soon as it can")
        ask_for_capture(tx, case.id, by, desk.clock())

    return await _changed(request, case_id, session, ask)


@router.post("/{case_id}/hold")
async def hold_case(
    request: Request,
    case_id: str,
    session: BrowserSession = WRITER,
    note: str = Form("", max_length=LONGEST_FIELD),
) -> Response:
    """Let nothing of a case be deleted."""
    desk = desk_of(request)
    return await _changed(request, case_id, session, lambda tx, case, by: hold(tx, case, by, note, desk.clock()))


@router.post("/{case_id}/release")
async def release_case(
    request: Request,
    case_id: str,
    session: BrowserSession = WRITER,
    note: str = Form("", max_length=LONGEST_FIELD),
) -> Response:
    """End the hold on a case."""
    desk = desk_of(request)
    return await _changed(request, case_id, session, lambda tx, case, by: release(tx, case, by, note, desk.clock()))


@router.post("/{case_id}/bundle")
async def download_bundle(
    request: Request, case_id: str, session: BrowserSession = WRITER, for_others: bool = Form(False)
) -> Response:
    """Make the bundle of a case and send it as a file. It is a change: the audit log says who has it."""
    desk = desk_of(request)
    if desk.export is None:
        raise UsageError("no bundle can be made from here; ask the daemon")
    by = actor_of(session.person, address_of(request))

    def read() -> Case:
        with desk.store.read() as tx:
            return _case(tx, case_id)

    case = await run_in_threadpool(read)
    try:
        # Removed as soon as it is open, and by the next capture should this process be killed before.
        with opened_keeper(desk.data_dir, 0) as folder:
            written = await desk.export(case.id, folder.folder, by, BundleWishes(for_others=for_others))
            file = written.path.open("rb")
    except (GuardianError, OSError) as error:
        reason = disk_error_text(error) if isinstance(error, OSError) else str(error)
        raise HTTPException(503, f"no bundle was made: {reason}") from error
    headers = {
        "content-disposition": f'attachment; filename="{written.path.name}"',
        "content-length": str(written.size_bytes),
    }
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


async def _changed(
    request: Request, case_id: str, session: BrowserSession, change: Callable[[Transaction, Case, Actor], object]
) -> Response:
    """Make a change at a case, then lead back to its evidence. Raises UsageError."""
    desk, by = desk_of(request), actor_of(session.person, address_of(request))

    def write() -> str:
        with desk.store.begin() as tx:
            case = _case(tx, case_id)
            change(tx, case, by)
            return case.id

    changed = await run_in_threadpool(write)
    return RedirectResponse(f"/cases/{changed}#h-evidence", status_code=303)


def _case(tx: Transaction, case_id: str) -> Case:
    case = tx.cases.get(case_id)
    if case is None:
        raise HTTPException(404, f"there is no case {case_id[:80]}")
    return case


def _owed(tx: Transaction, case: Case) -> set[CaptureReason]:
    """Return why captures of a case are owed."""
    owed = tx.tasks.list(TaskKind.CAPTURE, TaskState.DUE, _MOST_OWED)
    return {order_of(task).reason for task in owed if task.destination == case.id}
