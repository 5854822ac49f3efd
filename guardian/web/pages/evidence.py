"""Proof of a case: what was captured, a capture now, the hold, and bundles: asked for, then fetched."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from guardian.cases.capture_orders import ask_for_capture, order_of
from guardian.errors import UsageError
from guardian.evidence.bundle_options import BundleOptions
from guardian.evidence.bundle_tasks import (
    ReadyBundle,
    ask_for_bundle,
    options_of,
    path_of_bundle,
    ready_bundles,
)
from guardian.evidence.retention import hold, release
from guardian.model import (
    Actor,
    BrowserSession,
    CaptureReason,
    Case,
    EvidenceCapture,
    Permission,
    Task,
    TaskKind,
)
from guardian.store import Transaction
from guardian.tasks.user_requests import may_ask_again, owed_text
from guardian.views.counting import size_text
from guardian.views.evidence import capture_size_text, hold_text, reason_text
from guardian.web.auth.requests import person_acting
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may
from guardian.web.queue_filter import queue_filter_kept_in

router = APIRouter(prefix="/cases", include_in_schema=False)

WRITER = Depends(person_may(Permission.CASES_WRITE))

_MOST_CAPTURES = 20

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EvidencePanel:
    """What a case's page shows: the newest captures with their words, how many there are, whether one is owed.

    `may_capture`: whether nobody has asked for one that is about to be taken; others may wait for hours until a site
    answers. `hold`: since when nothing of the case may be deleted, and why, in words; None where it may. `bundles` can
    be fetched, with their sizes in words; `bundles_owed` says which are still to be made, `may_ask_for` which may be
    asked for, by whether they are for others, and is empty where none can be made.
    """

    captures: Sequence[tuple[EvidenceCapture, str]]
    count: int
    is_owed: bool
    may_capture: bool
    hold: str | None
    bundles: Sequence[tuple[ReadyBundle, str]]
    bundles_owed: Sequence[str]
    may_ask_for: Sequence[bool]


def panel_of_evidence(tx: Transaction, desk: Desk, case: Case) -> EvidencePanel:
    """Return what is shown of evidence on the page of a case."""
    captures = tx.evidence.of_case(case.id)
    held, owed = tx.holds.get(case.id), tx.tasks.owed(TaskKind.CAPTURE, case.id)
    asked = [task for task in owed if order_of(task).reason is CaptureReason.ASKED]
    bundles = _bundles_owed(tx, case.id)
    newest = [(one, f"{reason_text(one)}; {capture_size_text(one)}") for one in captures[: -_MOST_CAPTURES - 1 : -1]]
    return EvidencePanel(
        newest,
        len(captures),
        bool(owed),
        may_ask_again(asked),
        hold_text(held) if held is not None else None,
        [(one, size_text(one.size_bytes)) for one in ready_bundles(desk.data_dir, case.id)],
        [
            owed_text(task, "The bundle for others" if for_others else "The full bundle")
            for for_others, tasks in bundles.items()
            for task in tasks
        ],
        [for_others for for_others, tasks in bundles.items() if desk.makes_bundles and may_ask_again(tasks)],
    )


def _bundles_owed(tx: Transaction, case_id: str) -> Mapping[bool, Sequence[Task]]:
    """Return the tasks of bundles that are still to be made, by whether these are for others."""
    owed = tx.tasks.owed(TaskKind.BUNDLE, case_id)
    return {
        for_others: [task for task in owed if options_of(task).for_others is for_others] for for_others in (True, False)
    }


@router.post("/{case_id}/capture")
async def capture_now(request: Request, case_id: str, session: BrowserSession = WRITER) -> Response:
    """Have the daemon capture the strongest use of a case as soon as it can."""
    desk = desk_of(request)

    def ask(tx: Transaction, case: Case, by: Actor) -> None:
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
async def ask_bundle(
    request: Request, case_id: str, session: BrowserSession = WRITER, for_others: bool = Form(False)
) -> Response:
    """Have the daemon write the bundle of a case; the page then offers it."""
    desk = desk_of(request)
    if not desk.makes_bundles:
        raise UsageError("no bundle can be made from here; ask the daemon")
    options = BundleOptions(for_others=for_others)
    return await _changed(
        request, case_id, session, lambda tx, case, by: ask_for_bundle(tx, case.id, by, options, desk.clock())
    )


@router.get("/{case_id}/bundles/{name}")
async def fetch_bundle(request: Request, case_id: str, name: str, session: BrowserSession = WRITER) -> Response:
    """Send a bundle that was made. The audit log says who has it."""
    desk, by = desk_of(request), person_acting(request, session)

    def opened() -> tuple[IO[bytes], int]:
        with desk.store.begin() as tx:
            case = _case(tx, case_id)
            path = path_of_bundle(desk.data_dir, case.id, name)
            if path is None:
                raise HTTPException(404, "there is no such bundle any more; have it made again")
            tx.audit.add(by, "evidence.bundle_fetched", case.id, desk.clock(), {"file": path.name})
            return path.open("rb"), path.stat().st_size

    file, size = await run_in_threadpool(opened)
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-length": str(size)}
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


async def _changed(
    request: Request, case_id: str, session: BrowserSession, change: Callable[[Transaction, Case, Actor], object]
) -> Response:
    """Make a change at a case, then lead back to its evidence. Raises UsageError."""
    desk, by = desk_of(request), person_acting(request, session)

    def write() -> str:
        with desk.store.begin() as tx:
            case = _case(tx, case_id)
            change(tx, case, by)
            return case.id

    changed = await run_in_threadpool(write)
    kept = queue_filter_kept_in(request.query_params).kept
    return RedirectResponse(f"/cases/{changed}{kept}#h-evidence", status_code=303)


def _case(tx: Transaction, case_id: str) -> Case:
    case = tx.cases.get(case_id)
    if case is None:
        raise HTTPException(404, f"there is no case {case_id[:80]}")
    return case
