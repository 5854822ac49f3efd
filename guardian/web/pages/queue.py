"""The queue: cases that wait, the most urgent first, with what it takes to decide about each; one or many at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from guardian.cases import cases_of_decision
from guardian.cases.lookalikes import MOST_NOT_MINE
from guardian.cases.queue import QueuedCase, QueuedGroup, group_page, queue_page, queued
from guardian.errors import CaseChanged, UsageError
from guardian.model import (
    BrowserSession,
    CaseFilter,
    CaseGrouping,
    CaseState,
    DismissReason,
    LicenceStatus,
    Permission,
    Person,
    SavedView,
    Severity,
)
from guardian.people.views import forget_view, keep_view
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.views.case_tables import cases_csv
from guardian.views.cases import WAITS_FOR
from guardian.web.desk import desk_of
from guardian.web.pages.access import LONGEST_FIELD, edit_by, local_path, person_may
from guardian.web.pages.confirm_all import MOST_AT_ONCE, ask_about_all
from guardian.web.pages.deciding import (
    DONE_TEXTS,
    BulkOutcome,
    DecisionKind,
    RequestedDecision,
    as_changed,
    case_name,
    changes_text,
    context_of_decision,
    decide_all,
    with_done,
)
from guardian.web.pages.not_mine import PostedForm, ask_if_sure
from guardian.web.queue_filter import QueueFilter, queue_filter_in
from guardian.web.refused_forms import with_form_as_sent
from guardian.web.rendering import csv_file, page

router = APIRouter(include_in_schema=False)

_ON_A_PAGE = 50
_GROUPS_ON_A_PAGE, _OF_A_GROUP = 20, 5

READER = Depends(person_may(Permission.CASES_READ))
REVIEWER = Depends(person_may(Permission.CASES_WRITE))


@dataclass(frozen=True, slots=True)
class _Group:
    """Cases under one heading, "" where the queue is one list; `total`: how many there are, shown or not."""

    key: str
    heading: str
    total: int
    cases: tuple[QueuedCase, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One page of the queue. `group_count`: how many groups there are in all.

    `undecided`: how many cases of all wait for a decision; None where that was not counted.
    """

    groups: tuple[_Group, ...]
    total: int
    group_count: int
    following: str | None
    undecided: int | None

    @property
    def count(self) -> int:
        """How many cases the page shows."""
        return sum(len(group.cases) for group in self.groups)


@router.get("/")
async def show_home() -> Response:
    """Lead to the queue."""
    return RedirectResponse("/cases", status_code=303)


@router.get("/cases")
async def show_queue(
    request: Request,
    session: BrowserSession = READER,
    after: str = Query("", max_length=200),
    done: str = "",
    case: str = "",
) -> Response:
    """Show one page of the queue."""
    choice = queue_filter_in(request.query_params)
    return await _queue(request, choice, after=after, done=_done(done, case))


@router.get("/cases.csv", dependencies=[READER])
async def download(request: Request) -> Response:
    """Send the cases that the queue finds as CSV, the most urgent first, as many as are decided about at once."""
    desk = desk_of(request)
    wanted = queue_filter_in(request.query_params).filter()

    def read() -> tuple[QueuedCase, ...]:
        with desk.store.read() as tx:
            return queued(tx, tx.cases.queue(wanted, MOST_AT_ONCE), desk.clock())

    found = await run_in_threadpool(read)
    return csv_file("cases", cases_csv((one.case, one.asset, one.finding, one.points) for one in found))


@router.post("/cases")
async def decide_many(request: Request, session: BrowserSession = REVIEWER) -> Response:
    """Make one decision about all cases that were selected; those that others changed meanwhile stay, and are named."""
    form = await request.form(max_fields=5_000)
    back = local_path(str(form.get("back", "/cases")))
    asked = _asked(str(form.get("decision", "")), str(form.get("value", "")))
    if form.get("all"):
        # Before the page that asks: nobody shall read it for nothing.
        asked.check(await context_of_decision(request, session, asked, []))
        return await ask_about_all(request, asked, queue_filter_in(_query_of(back)), str(form.get("note", "")))

    # One field may have several: those of a whole choice.
    selected = [one for text in form.getlist("selected") for one in str(text).split()]
    if not selected:
        raise UsageError("select the cases that are meant first")
    if len(selected) > MOST_AT_ONCE:
        raise UsageError(f"{MOST_AT_ONCE:,} cases at most are decided about at once")

    desk = desk_of(request)
    batch = new_id("batch") if len(selected) > 1 else None
    edit = edit_by(session, desk, str(form.get("note", "")), expected=None, batch=batch)
    # Each with the version that was seen: id and number in one field, so that neither can be lost.
    cases = [
        (id_, replace(edit, expected=_version(number))) for id_, _, number in (one.partition(":") for one in selected)
    ]

    context = await context_of_decision(request, session, asked, [case_id for case_id, _ in cases])
    if not form.get("sure"):
        posted = PostedForm("/cases", [("back", back), ("note", edit.note or ""), ("selected", " ".join(selected))])
        asking = await ask_if_sure(request, asked, [case_id for case_id, _ in cases], context, posted)
        if asking is not None:
            return asking

    outcome = await run_in_threadpool(decide_all, desk.store, asked, cases, context)
    if not outcome.refused:
        name = as_changed(outcome.changed[0]) if batch is None else batch
        return RedirectResponse(with_done(back, asked.decision, name), status_code=303)
    choice = queue_filter_in(_query_of(back))
    done = (asked.decision, batch or "") if outcome.changed else None
    shown = await _queue(request, choice, done=done, refused=outcome.refused, status=409)
    return shown if outcome.changed else await with_form_as_sent(request, shown)


@router.post("/cases/undo")
async def undo_last(
    request: Request,
    session: BrowserSession = REVIEWER,
    which: str = Form("", max_length=200),
    back: str = Form("/cases", max_length=LONGEST_FIELD),
) -> Response:
    """Undo what was just decided: about one case, or about all of one decision.

    `which`: the id and the version of a case, or a batch. So whoever sends it twice, or late, takes back nothing else:
    neither what was decided before nor what a colleague has decided since.
    """
    desk = desk_of(request)
    is_batch = which.startswith("batch_")
    case_id, _, number = which.partition(":")
    expected = None if is_batch else _version(number)
    if not is_batch and expected is None:
        raise UsageError("open the case to undo the last change")
    edit = edit_by(session, desk, None, expected=expected, batch=new_id("batch") if is_batch else None)

    asked = RequestedDecision(DecisionKind.UNDO, which if is_batch else "")
    context = await context_of_decision(request, session, asked, [])

    def take_back() -> BulkOutcome:
        with desk.store.read() as tx:
            ids = cases_of_decision(tx, which) if is_batch else [case_id]
        return decide_all(desk.store, asked, [(id_, edit) for id_ in ids], context)

    outcome = await run_in_threadpool(take_back)
    path = local_path(back)
    if outcome.refused:
        choice = queue_filter_in(_query_of(path))
        return await _queue(request, choice, refused=outcome.refused, status=409)
    return RedirectResponse(with_done(path, DecisionKind.UNDO, ""), status_code=303)


@router.post("/cases/views")
async def save_view(
    request: Request,
    session: BrowserSession = READER,
    name: str = Form("", max_length=200),
    query: str = Form("", max_length=LONGEST_FIELD),
    remove: bool = Form(False),
) -> Response:
    """Save what the queue's form chooses under a name, for this person alone; or forget a view of this name."""
    desk = desk_of(request)
    # Read and written anew, so that only what the form knows is kept.
    choice = queue_filter_in(QueryParams(query))
    choice.filter()

    def write() -> None:
        with desk.store.begin() as tx:
            if remove:
                forget_view(tx, session.person, name)
            else:
                keep_view(tx, session.person, name, choice.query, desk.clock())

    await run_in_threadpool(write)
    return RedirectResponse(f"/cases?{choice.query}", status_code=303)


async def _queue(
    request: Request,
    choice: QueueFilter,
    *,
    after: str = "",
    done: tuple[DecisionKind, str] | None = None,
    refused: Iterable[tuple[str, UsageError]] = (),
    status: int = 200,
) -> Response:
    """Return one page of the queue; `after` is the cursor of the page before it, "" for the first.

    `done` says what was just decided, about which case or decision; `refused` which cases were left as they are, and
    why.
    """
    desk = desk_of(request)
    wanted = choice.filter()
    person: Person = request.state.session.person

    def read() -> tuple[_Shown, dict[str, list[str]], list[SavedView], int, list[tuple[str, str, str]]]:
        with desk.store.read() as tx:
            shown = _read(tx, wanted, choice.group, desk.clock(), after or None)
            sources = [source.name for source in desk.sources]
            views = tx.saved_views.of_person(person.id)
            named = [(id_, case_name(tx, id_), _refusal_text(error)) for id_, error in refused]
            decided = _size_of(tx, done[1] if done else "")
            return shown, _suggestions(tx) | {"sources": sources}, views, decided, named

    found, suggestions, views, decided, named = await run_in_threadpool(read)
    said = DONE_TEXTS[done[0]] if done else ""
    back = f"/cases?{choice.query}" + (f"&{urlencode({'after': after})}" if after else "")
    following = f"/cases?{choice.query}&{urlencode({'after': found.following})}" if found.following else None
    return page(
        request,
        "cases.html",
        status=status,
        choice=choice,
        found=found,
        is_first=not after,
        following=following,
        back=back,
        done=(f"{decided:,} {said}" if decided else said, done[1]) if done else None,
        refused=named,
        suggestions=suggestions,
        views=views,
        states=[state for state in CaseState if state is not CaseState.RESOLVED],
        severities=list(reversed(Severity)),
        licences=list(LicenceStatus),
        reasons=list(DismissReason),
        waits_for=WAITS_FOR,
        most_at_once=MOST_AT_ONCE,
        most_not_mine=MOST_NOT_MINE,
        groupings=list(CaseGrouping),
        now=desk.clock(),
    )


def _read(tx: Transaction, wanted: CaseFilter, by: CaseGrouping | None, now: datetime, cursor: str | None) -> _Shown:
    """Return one page of the queue, in groups or as one list."""
    undecided = None
    if len(wanted.states) > 1 and wanted.words is None and wanted.label is None:
        # To find words or labels a second time would take as long again.
        undecided = tx.cases.count_matching(replace(wanted, states=(CaseState.OPEN,)))
    if by is None:
        cases = queue_page(tx, wanted, now, _ON_A_PAGE, cursor)
        return _Shown((_Group("", "", len(cases.cases), cases.cases),), cases.total, 0, cases.following, undecided)

    found = group_page(tx, wanted, by, now, _GROUPS_ON_A_PAGE, _OF_A_GROUP, cursor)
    groups = tuple(_Group(group.key, _heading(group, by), group.total, group.cases) for group in found.shown)
    return _Shown(groups, found.total, found.groups, found.following, undecided)


def _refusal_text(error: UsageError) -> str:
    """Return why a case was left as it is: what a colleague has done, or what is wrong with the decision."""
    if isinstance(error, CaseChanged) and error.since:
        return f"changed since you looked at it: {changes_text(error.since)}"
    return str(error)


def _size_of(tx: Transaction, batch: str) -> int:
    """Return how many cases one decision about several has changed; 0 for one about a single case."""
    return len({line.case_id for line in tx.case_history.lines_of_batch(batch)}) if batch.startswith("batch_") else 0


def _heading(group: QueuedGroup, by: CaseGrouping) -> str:
    asset = group.cases[0].asset if group.cases else None
    return asset.title if by is CaseGrouping.WORK and asset is not None else group.key


def _suggestions(tx: Transaction) -> dict[str, list[str]]:
    """Return what fields of the form are often filled with."""
    return {
        "collections": tx.assets.collections()[:200],
        "people": [person.name for person in tx.people.all() if person.removed_at is None],
    }


def _done(done: str, case: str) -> tuple[DecisionKind, str] | None:
    try:
        return DecisionKind(done), case[:200]
    except ValueError:
        return None


def _asked(decision: str, value: str) -> RequestedDecision:
    """Return the decision that a form asks for; "dismiss:look_alike" says its value with it. Raises UsageError."""
    word, _, own_value = decision.partition(":")
    try:
        return RequestedDecision(DecisionKind(word), own_value or value)
    except ValueError as error:
        raise UsageError("choose what is decided") from error


def _query_of(path: str) -> QueryParams:
    return QueryParams(path.partition("?")[2])


def _version(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 12 else None
