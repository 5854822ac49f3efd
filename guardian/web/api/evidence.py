"""Proof of a case: what was captured, a capture now, the hold, and bundles: asked for, then fetched."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from guardian.cases.capture_orders import ask_for_capture
from guardian.evidence.bundle_options import BundleOptions
from guardian.evidence.bundle_tasks import ask_for_bundle, path_of_bundle, ready_bundles
from guardian.evidence.retention import hold, release
from guardian.model import Actor, Case, Permission
from guardian.store import Transaction
from guardian.views.evidence import capture_json, hold_json
from guardian.views.timestamps import json_timestamp
from guardian.web.api import schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.inputs import IdInPath, Input, Note
from guardian.web.api.routing import GuardedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import Desk, desk_of

router = APIRouter(prefix="/cases", tags=["evidence"], route_class=GuardedRoute)

Reader = Annotated[Actor, Depends(permitted(Permission.CASES_READ))]
Writer = Annotated[Actor, Depends(permitted(Permission.CASES_WRITE))]


class HoldReason(Input):
    """Why nothing of a case may be deleted, or why it may be again."""

    note: Note = Field(min_length=1, pattern=r"\S", examples=["Example v. Thief, 26-cv-1234"])


class BundleWish(Input):
    """What a bundle holds."""

    for_others: bool = Field(False, description="Without internal notes, names and network addresses of your people.")


@router.get(
    "/{case_id}/evidence",
    summary="Show the evidence of a case",
    response_model=schemas.CaseEvidence,
    responses=problems(404),
    operation_id="get_evidence",
)
def get_evidence(request: Request, actor: Reader, case_id: IdInPath) -> dict[str, Any]:
    """Return the captures of a case, whether it is on hold, and the bundles that can be fetched."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        return _evidence(tx, desk, _case(tx, case_id))


@router.post(
    "/{case_id}/captures",
    summary="Capture a case now",
    response_model=schemas.EvidenceAsked,
    responses=problems(404),
    operation_id="capture_case",
    status_code=202,
)
def capture_case(request: Request, actor: Writer, case_id: IdInPath) -> dict[str, Any]:
    """Have the daemon capture the strongest use of a case as soon as it can; one that is owed is not owed twice."""
    desk = desk_of(request)
    with desk.store.begin() as tx:
        case = _case(tx, case_id)
        ask_for_capture(tx, case.id, actor, desk.clock())
    return {"case": case.id, "asked": "capture"}


@router.post(
    "/{case_id}/hold",
    summary="Put a case on hold",
    response_model=schemas.CaseEvidence,
    responses=problems(404),
    operation_id="hold_case",
)
def hold_case(request: Request, actor: Writer, case_id: IdInPath, body: HoldReason) -> dict[str, Any]:
    """Let nothing of a case be deleted until the hold is released."""
    desk = desk_of(request)
    with desk.store.begin() as tx:
        case = _case(tx, case_id)
        hold(tx, case, actor, body.note, desk.clock())
        return _evidence(tx, desk, case)


@router.post(
    "/{case_id}/release",
    summary="Release a case from hold",
    response_model=schemas.CaseEvidence,
    responses=problems(404),
    operation_id="release_case",
)
def release_case(request: Request, actor: Writer, case_id: IdInPath, body: HoldReason) -> dict[str, Any]:
    """End the hold on a case."""
    desk = desk_of(request)
    with desk.store.begin() as tx:
        case = _case(tx, case_id)
        release(tx, case, actor, body.note, desk.clock())
        return _evidence(tx, desk, case)


@router.post(
    "/{case_id}/bundles",
    summary="Have a bundle made",
    response_model=schemas.EvidenceAsked,
    responses=problems(404),
    operation_id="make_bundle",
    status_code=202,
)
def make_bundle(request: Request, actor: Writer, case_id: IdInPath, body: BundleWish) -> dict[str, Any]:
    """Have the daemon write the bundle of a case: one file that proves it; GET /evidence then names it.

    One that is owed is not owed twice; the one for others and the full one are two.
    """
    desk = desk_of(request)
    if not desk.makes_bundles:
        raise HTTPException(503, "no bundle can be made from here; ask the daemon (`guardian run`)")
    with desk.store.begin() as tx:
        case = _case(tx, case_id)
        ask_for_bundle(tx, case.id, actor, BundleOptions(for_others=body.for_others), desk.clock())
    return {"case": case.id, "asked": "bundle"}


@router.get(
    "/{case_id}/bundles/{name}",
    summary="Fetch a bundle",
    response_class=FileResponse,
    responses=problems(404) | {200: {"description": "The file.", "content": {"application/zip": {}}}},
    operation_id="get_bundle",
)
async def get_bundle(
    request: Request, actor: Writer, case_id: IdInPath, name: Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]
) -> FileResponse:
    """Return a bundle that was made. The audit log says who has it."""
    desk = desk_of(request)

    def fetched() -> FileResponse:
        with desk.store.begin() as tx:
            case = _case(tx, case_id)
            path = path_of_bundle(desk.data_dir, case.id, name)
            if path is None:
                raise not_found("there is no such bundle any more; have it made again")
            tx.audit.add(actor, "evidence.bundle_fetched", case.id, desk.clock(), {"file": path.name})
            return FileResponse(path, media_type="application/zip", filename=path.name)

    return await run_in_threadpool(fetched)


def _evidence(tx: Transaction, desk: Desk, case: Case) -> dict[str, Any]:
    bundles = ready_bundles(desk.data_dir, case.id)
    return {
        "case": case.id,
        "captures": [capture_json(one) for one in tx.evidence.of_case(case.id)],
        "hold": hold_json(tx.holds.get(case.id)),
        "bundles": [{"name": one.name, "bytes": one.size_bytes, "at": json_timestamp(one.at)} for one in bundles],
    }


def _case(tx: Transaction, case_id: str) -> Case:
    case = tx.cases.get(case_id)
    if case is None:
        raise not_found(f"there is no case {case_id}; GET /api/v1/cases lists them")
    return case
