"""One case: both pictures, what was measured and why it was judged so, what was seen when, and what is decided."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.cases.deciding import was_decided
from guardian.cases.reading import case_detail
from guardian.errors import UsageError
from guardian.model import (
    MEASURED_FACTS,
    BrowserSession,
    Case,
    CaseState,
    DismissReason,
    Finding,
    FindingDigest,
    MeasuredFact,
    Permission,
)
from guardian.store import Transaction
from guardian.views.case_tables import places_csv
from guardian.views.cases import CaseDetail, event_sentence
from guardian.views.findings import licence_text, missed_text, version_facts
from guardian.views.overlap import Overlap, finding_sentence, overlap_of, points_text
from guardian.views.sighting_chart import sighting_chart
from guardian.views.timestamps import page_timestamp
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, edit_by, person_may
from guardian.web.pages.deciding import (
    DONE_TEXTS,
    DecisionContext,
    DecisionKind,
    RequestedDecision,
    as_changed,
    case_name,
    context_of_decision,
    with_done,
)
from guardian.web.pages.evidence import EvidencePanel, panel_of_evidence
from guardian.web.pages.not_mine import PostedForm, ask_if_sure
from guardian.web.pages.notice_panel import NoticePanel, panel_of_case
from guardian.web.queue_filter import QueueFilter, queue_filter_kept_in
from guardian.web.rendering import csv_file, page

router = APIRouter(prefix="/cases", include_in_schema=False)

_MOST_FINDINGS = 200

NEXT_STEPS = {
    CaseState.OPEN: "Look at both pictures, then confirm it as a copy that you pursue, grant a licence, or dismiss it.",
    CaseState.CONFIRMED: "Draft a notice, send it, and record that it was sent. The operator's page lists contacts.",
    CaseState.NOTICE_SENT: "Wait until it is gone: guardian looks again after 1, 3, 7, 14, 30 and 90 days.",
    CaseState.LICENSED: "Nothing to do while the licence holds; the case opens again when it ends.",
    CaseState.DISMISSED: "Nothing to do. Reopen it if that was a mistake.",
    CaseState.GONE: "Nothing is there any more. Close it; it reopens by itself when it returns.",
    CaseState.CLOSED: "Done. It reopens by itself when it is shown elsewhere, or comes back.",
    CaseState.RESOLVED: "Done. It reopens by itself when it is shown elsewhere, or comes back.",
}
"""What a reviewer does next, by the state of a case."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What the page shows: the case, the finding that is compared, and where the two pictures show the same."""

    detail: CaseDetail
    finding: Finding | None
    overlap: Overlap | None
    people: list[str]
    notices: NoticePanel
    evidence: EvidencePanel


@router.get("/{case_id}", dependencies=[Depends(person_may(Permission.CASES_READ))])
async def show_case(request: Request, case_id: str, finding: str = "", done: str = "", case: str = "") -> Response:
    """Show a case; `finding` is the id of the one of its findings that is compared.

    `done` says what was just decided, about which case or decision.
    """
    desk = desk_of(request)
    choice = queue_filter_kept_in(request.query_params)
    said = (DONE_TEXTS[DecisionKind(done)], case[:200]) if done in list(DecisionKind) else None
    done_at = said[1].partition(":")[0] if said is not None else ""

    def read() -> tuple[_Read | None, str]:
        with desk.store.read() as tx:
            return _read(tx, desk, case_id, finding), case_name(tx, done_at) if done_at else ""

    found, done_name = await run_in_threadpool(read)
    if found is None:
        raise HTTPException(404, f"there is no case {case_id[:80]}")
    if found.detail.case.id != case_id:
        # Merged into another one: its address leads on.
        return RedirectResponse(f"/cases/{found.detail.case.id}{choice.kept}", status_code=303)

    return page(request, "case.html", choice=choice, done=said, done_name=done_name, **_values_of(found))


@router.get("/{case_id}/places.csv", dependencies=[Depends(person_may(Permission.CASES_READ))])
async def download_places(request: Request, case_id: str) -> Response:
    """Send all places of a case as CSV."""
    desk = desk_of(request)

    def read() -> list[Finding] | None:
        with desk.store.read() as tx:
            case = tx.cases.get(case_id)
            return tx.findings.list(case.id) if case is not None else None

    found = await run_in_threadpool(read)
    if found is None:
        raise HTTPException(404, f"there is no case {case_id[:80]}")
    return csv_file("places", places_csv(found))


@router.get("/{case_id}/next", dependencies=[Depends(person_may(Permission.CASES_READ))])
async def show_next(request: Request, case_id: str) -> Response:
    """Lead to the case that follows in the queue from which this one was opened, or to that queue after the last."""
    desk = desk_of(request)
    choice = queue_filter_kept_in(request.query_params)

    def read() -> str | None:
        with desk.store.read() as tx:
            case = tx.cases.get(case_id)
            return _next_case(tx, case, choice) if case is not None else None

    following = await run_in_threadpool(read)
    if following is None:
        raise HTTPException(404, f"there is no case {case_id[:80]}")
    return RedirectResponse(f"/cases/{following}{choice.kept}" if following else choice.path, status_code=303)


class DecisionForm(BaseModel):
    """What the page's forms send. `version`: of the case as it was seen; `then`: where to go; `sure`: asked already."""

    decision: str = Field("", max_length=100)
    value: str = Field("", max_length=LONGEST_FIELD)
    note: str = Field("", max_length=LONGEST_FIELD)
    version: int | None = None
    then: str = Field("", max_length=20)
    sure: bool = False


@router.post("/{case_id}")
async def decide_one(
    request: Request,
    case_id: str,
    form: Annotated[DecisionForm, Form()],
    session: BrowserSession = Depends(person_may(Permission.CASES_WRITE)),  # noqa: B008 - FastAPI's way
) -> Response:
    """Decide about a case, unless somebody has changed it since it was looked at: then show what they did."""
    desk = desk_of(request)
    word, _, own_value = form.decision.partition(":")
    choice = queue_filter_kept_in(request.query_params)
    edit = edit_by(session, desk, form.note, expected=form.version, batch=None)

    def change(asked: RequestedDecision, context: DecisionContext, tx: Transaction) -> tuple[Case, str]:
        changed = asked.change(tx, case_id, edit, context)
        return changed, _next_case(tx, changed, choice) if form.then == "next" else changed.id

    if word not in list(DecisionKind):
        raise UsageError("choose what is decided")
    asked = RequestedDecision(DecisionKind(word), own_value or form.value)
    context = await context_of_decision(request, session, asked, [case_id])
    if not form.sure:
        seen = [("version", str(form.version))] if form.version is not None else []
        posted = PostedForm(f"/cases/{case_id}{choice.kept}", [*seen, ("note", form.note), ("then", form.then)])
        asking = await ask_if_sure(request, asked, [case_id], context, posted)
        if asking is not None:
            return asking
    changed, following = await run_in_threadpool(desk.store.run, partial(change, asked, context))
    path = f"/cases/{following}{choice.kept}" if following else choice.path
    return RedirectResponse(with_done(path, DecisionKind(word), as_changed(changed)), status_code=303)


def _values_of(found: _Read) -> dict[str, Any]:
    """Return what the template shows of a case, by the names that it has there."""
    detail, compared = found.detail, found.finding
    numbers: list[tuple[MeasuredFact, object]] = []
    versions: list[tuple[FindingDigest, str]] = []
    if compared is not None:
        numbers = [(fact, getattr(compared.comparison, fact.name)) for fact in MEASURED_FACTS]
        versions = [
            (version, version_facts(version, page_timestamp)["seen"])
            for version in detail.versions.get(compared.id, ())
        ]
    return {
        "detail": detail,
        "case": detail.case,
        "asset": detail.asset,
        "finding": compared,
        "sentence": finding_sentence(compared, detail.asset) if compared is not None else "",
        "overlap": found.overlap,
        "points_text": points_text,
        "numbers": numbers,
        "licence_text": licence_text,
        "missed_text": partial(missed_text, moment=page_timestamp),
        "versions": versions,
        "findings": detail.findings[:_MOST_FINDINGS],
        "left_out": max(0, len(detail.findings) - _MOST_FINDINGS),
        "line": sighting_chart(detail.findings, detail.versions),
        "history": [(event, event_sentence(event)) for event in reversed(detail.history)],
        "next_step": NEXT_STEPS[detail.case.state],
        "can_undo": was_decided(detail.history),
        "reasons": list(DismissReason),
        "people": found.people,
        "drafting": found.notices,
        "evidence": found.evidence,
    }


def _read(tx: Transaction, desk: Desk, case_id: str, finding_id: str) -> _Read | None:
    case = tx.cases.get(case_id)
    if case is None:
        return None

    detail = case_detail(tx, case, desk.clock())
    best = tx.findings.foremost([case.id]).get(case.id)
    compared = next((one for one in detail.findings if one.id == finding_id), best)
    overlap = None
    if compared is not None:
        mine = tx.assets.get(compared.asset_id)
        seen = tx.seen.get(compared.candidate_sha256)
        size = (seen.width, seen.height) if seen is not None else None
        overlap = overlap_of(mine, compared.comparison, size) if mine is not None else None
    people = [person.name for person in tx.people.all() if person.removed_at is None]
    panels = panel_of_case(tx, desk, case), panel_of_evidence(tx, desk, case)
    return _Read(detail, compared, overlap, people, *panels)


def _next_case(tx: Transaction, case: Case, choice: QueueFilter) -> str:
    """Return the id of the case that follows in the queue that is chosen so; "" after the last."""
    found = tx.cases.queue(choice.filter(), 1, (case.rank, case.id))
    return found[0].id if found else ""
