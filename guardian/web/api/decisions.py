"""Decisions about cases: about one, guarded by its version, or about several at once, all or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from guardian.cases import Edit, add_note, assign, call_not_mine, cases_of_decision, decide, label, set_due, undo
from guardian.cases.deciding import require_last
from guardian.cases.licensing import call_licensed
from guardian.cases.lookalikes import refuse_too_many
from guardian.cases.reading import operator_named
from guardian.errors import DecidedAlready, UsageError
from guardian.model import PURSUED_STATES, Actor, Case, CaseFilter, CaseState, DismissReason, Permission
from guardian.scan.lookalikes import find_same_pictures
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.web.api import schemas
from guardian.web.api.answers import problems
from guardian.web.api.cases import case_of_id, etag_of, object_of
from guardian.web.api.dependencies import archive_of, judging_of
from guardian.web.api.inputs import IdInPath, Input, Name, Note
from guardian.web.api.routing import GuardedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import Desk, desk_of

router = APIRouter(tags=["decisions"], route_class=GuardedRoute)

Reviewer = Annotated[Actor, Depends(permitted(Permission.CASES_WRITE))]
Label = Annotated[Name, Field(max_length=60)]

_STATES = {
    "confirm": CaseState.CONFIRMED,
    "notice-sent": CaseState.NOTICE_SENT,
    "close": CaseState.CLOSED,
    "resolve": CaseState.RESOLVED,
    "reopen": CaseState.OPEN,
}


class _Decision(Input):
    note: Note | None = Field(None, description="Why; kept in the history.")


class GiveState(_Decision):
    """It is a copy that you pursue; you have written to the operator; it is done; or take it up again."""

    decision: Literal["confirm", "notice-sent", "close", "resolve", "reopen"]


class Dismiss(_Decision):
    """It is of no interest: goes on being recorded, never alerts again."""

    decision: Literal["dismiss"]
    reason: DismissReason | None = None


class CallNotMine(_Decision):
    """Its pictures are another's: all cases that show nothing else are dismissed with it, now and later."""

    decision: Literal["not-mine"]


class CallLicensed(_Decision):
    """The operator may use the work: this is written down as a licence, by which the case is licensed."""

    decision: Literal["licensed"]
    until: date | None = None


class Assign(_Decision):
    """Somebody deals with it; null: nobody."""

    decision: Literal["assign"]
    to: Name | None


class AddNote(Input):
    """A note in its history; nothing else changes."""

    decision: Literal["note"]
    note: Annotated[Note, Field(min_length=1)]


class ChangeLabels(_Decision):
    """Labels are put on and taken off."""

    decision: Literal["label"]
    add: list[Label] = Field([], max_length=50)
    remove: list[Label] = Field([], max_length=50)


class SetDue(_Decision):
    """The day until which it wants to be dealt with; null: no day."""

    decision: Literal["due"]
    on: date | None


class Undo(_Decision):
    """The last change that a person made is taken back; again for the one before."""

    decision: Literal["undo"]
    batch: Name | None = Field(
        None,
        description="The decision about several that is taken back, as `POST /api/v1/decisions` and histories name it: "
        "nothing else is. About several, without `cases`, at all of its cases; with `operator`, at those of it.",
    )


Decision = Annotated[
    GiveState | Dismiss | CallNotMine | CallLicensed | Assign | AddNote | ChangeLabels | SetDue | Undo,
    Field(discriminator="decision"),
]


class MeantCase(Input):
    """A case, and the version that was seen of it; without one, whatever it has by now."""

    id: Name
    version: int | None = Field(None, ge=0, le=2**31 - 1)


class BulkDecision(Input):
    """One decision about several cases: those named, and all of an operator that wait; or all of one to be undone."""

    decision: Decision
    cases: list[MeantCase] = Field([], max_length=500)
    operator: Name | None = Field(
        None, description="Also all cases of this operator that wait: open, confirmed, notice sent."
    )
    dry_run: bool = Field(False, description="Say what would be decided, and change nothing.")


_EXAMPLES = {
    "confirm": {"summary": "A copy that is pursued", "value": {"decision": "confirm", "note": "to the lawyers"}},
    "dismiss": {"summary": "Of no interest", "value": {"decision": "dismiss", "reason": "permitted"}},
    "not-mine": {"summary": "The picture is another's", "value": {"decision": "not-mine"}},
    "licensed": {"summary": "This customer is allowed", "value": {"decision": "licensed", "until": "2027-12-31"}},
    "assign": {"summary": "Somebody deals with it", "value": {"decision": "assign", "to": "mara"}},
    "label": {"summary": "Labels", "value": {"decision": "label", "add": ["press"], "remove": ["urgent"]}},
    "due": {"summary": "A day", "value": {"decision": "due", "on": "2026-12-01"}},
    "undo": {"summary": "Take the last change back", "value": {"decision": "undo"}},
}


@router.post(
    "/cases/{case_id}/decisions",
    summary="Decide about a case",
    response_model=schemas.DecidedCase,
    responses=problems(404, 409, 412, 413),
    operation_id="decide_case",
    openapi_extra={"requestBody": {"content": {"application/json": {"examples": _EXAMPLES}}}},
)
async def decide_case(
    request: Request,
    response: Response,
    actor: Reviewer,
    case_id: IdInPath,
    decision: Decision,
    if_match: Annotated[
        str | None,
        Header(
            max_length=200,
            description="The ETag that was seen; 412 if it is another by now, unless the case is decided so already.",
        ),
    ] = None,
) -> dict[str, Any]:
    """Decide about a case, assign it, label it, note something, or undo the last of these. Returns it as it is now."""
    desk = desk_of(request)
    now = desk.clock()
    expected = _expected(if_match)
    known = await run_in_threadpool(_known, desk, [case_id])
    same_pictures = await _same_pictures(desk, known, decision)

    def write(tx: Transaction) -> tuple[Case, dict[str, Any]]:
        edit = Edit(actor.name, now, getattr(decision, "note", None), expected)
        case, changed = _Decider(tx, desk, actor, same_pictures).decide(known[0], decision, edit)
        return case, object_of(tx, case, now) | {"changed": changed}

    case, found = await run_in_threadpool(desk.store.run, write)
    response.headers["etag"] = etag_of(case)
    return found


@router.post(
    "/decisions",
    summary="Decide about several cases",
    response_model=schemas.DecidedCases,
    responses=problems(404, 409, 412, 413),
    operation_id="decide_cases",
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "examples": {
                        "operator": {
                            "summary": "All of an operator's cases that wait, tried first",
                            "value": {
                                "operator": "thief.example",
                                "decision": {"decision": "dismiss", "reason": "not_worth_pursuing"},
                                "dry_run": True,
                            },
                        }
                    }
                }
            }
        }
    },
)
async def decide_cases(request: Request, actor: Reviewer, bulk: BulkDecision) -> dict[str, Any]:
    """Decide the same about several cases: about all of them, or about none if one is unknown or was changed since."""
    desk = desk_of(request)
    now = desk.clock()
    meant = await run_in_threadpool(_meant, desk, bulk)
    same_pictures = {} if bulk.dry_run else await _same_pictures(desk, [one.id for one in meant], bulk.decision)

    batch = new_id("batch") if len(meant) > 1 and not bulk.dry_run else None

    def write(tx: Transaction) -> tuple[list[dict[str, Any]], bool]:
        tx.cases.lock_all([one.id for one in meant])
        _refuse_followed(tx, [one.id for one in meant], bulk.decision)
        note = getattr(bulk.decision, "note", None)
        decider = _Decider(tx, desk, actor, same_pictures)
        edits = [(one.id, Edit(actor.name, now, note, one.version, batch)) for one in meant]
        changed = [decider.decide(case_id, bulk.decision, edit)[1] for case_id, edit in edits]
        # Read anew: a decision about one may have changed another of them.
        return [object_of(tx, case_of_id(tx, one.id), now) for one in meant], any(changed)

    def read() -> tuple[list[dict[str, Any]], bool]:
        with desk.store.read() as tx:
            _refuse_followed(tx, [one.id for one in meant], bulk.decision)
            return [object_of(tx, case_of_id(tx, one.id), now) for one in meant], False

    items, changed = await (run_in_threadpool(read) if bulk.dry_run else run_in_threadpool(desk.store.run, write))
    return {"items": items, "changed": changed, "batch": batch if changed else None}


def _known(desk: Desk, case_ids: Sequence[str]) -> list[str]:
    """Return the ids that cases have now. Raises 404."""
    with desk.store.read() as tx:
        return [case_of_id(tx, case_id).id for case_id in case_ids]


async def _same_pictures(desk: Desk, case_ids: Sequence[str], decision: Decision) -> Mapping[str, frozenset[str]]:
    """Return what else shows the pictures of cases that are called not one's own: the matcher compares them."""
    if not isinstance(decision, CallNotMine):
        return {}
    refuse_too_many(len(case_ids))
    archive = archive_of(desk)
    return {case_id: (await find_same_pictures(archive, case_id)).digests for case_id in case_ids}


def _refuse_followed(tx: Transaction, case_ids: Sequence[str], decision: Decision) -> None:
    """Raise UsageError with all cases at which this decision is not the last any more, so that others can be named."""
    if not isinstance(decision, Undo) or decision.batch is None:
        return
    why = []
    for case_id in case_ids:
        try:
            require_last(tx, case_of_id(tx, case_id), decision.batch)
        except UsageError as error:
            why.append(str(error))
    if why:
        raise UsageError(f"nothing was undone; name in `cases` the others alone. {'; '.join(why)}")


def _meant(desk: Desk, bulk: BulkDecision) -> list[MeantCase]:
    """Return the cases that are meant, each once. Raises 404 for an unknown one; UsageError when there is none."""
    platforms = desk.services.settings.platforms if desk.services is not None else ()
    batch = bulk.decision.batch if isinstance(bulk.decision, Undo) else None
    with desk.store.read() as tx:
        named = [MeantCase(id=case_of_id(tx, one.id).id, version=one.version) for one in bulk.cases]
        operator = operator_named(bulk.operator, platforms) if bulk.operator is not None else None
        others: list[MeantCase] = []
        if batch is not None and (operator is not None or not named):
            others = _of_decision(tx, batch, operator)
        elif batch is None and operator is not None:
            others = _that_wait(tx, operator)

    found = {one.id: one for one in named}
    for one in others:
        # Of a case that is meant in both ways counts what the sender says of it.
        found.setdefault(one.id, one)
    if not found:
        raise UsageError("no case is meant: name some in `cases`, or an `operator` that has cases that wait")
    return list(found.values())


def _of_decision(tx: Transaction, batch: str, operator: str | None) -> list[MeantCase]:
    """Return the cases that a decision was about; where an operator is named, its cases alone."""
    decided = [case_of_id(tx, id_) for id_ in cases_of_decision(tx, batch)]
    return [MeantCase(id=case.id) for case in decided if operator in (None, case.operator)]


def _that_wait(tx: Transaction, operator: str) -> list[MeantCase]:
    """Return the cases of an operator that wait, with the version just read: nothing newer is decided over."""
    wanted = CaseFilter(states=PURSUED_STATES, operator=operator, by_priority=True)
    return [MeantCase(id=case.id, version=case.version) for case in tx.cases.matching(wanted)]


@dataclass(frozen=True, slots=True)
class _Decider:
    """Decides in one transaction for somebody; `same_pictures` are the digests of what shows the pictures of a case."""

    tx: Transaction
    desk: Desk
    actor: Actor
    same_pictures: Mapping[str, frozenset[str]]

    def decide(self, case_id: str, decision: Decision, edit: Edit) -> tuple[Case, bool]:
        """Change a case, and note it in the audit log; return the case, and whether it was not decided so already.

        Raises as `guardian.cases.decide`.
        """
        try:
            case = self._changed(case_id, decision, edit)
        except DecidedAlready as error:
            return error.case, False
        detail = {"version": str(case.version), **({"batch": edit.batch} if edit.batch else {})}
        if isinstance(decision, Dismiss) and decision.reason is not None:
            detail["reason"] = decision.reason.value
        self.tx.audit.add(self.actor, f"case.{decision.decision}", case.id, edit.at, detail)
        return case, True

    def _changed(self, case_id: str, decision: Decision, edit: Edit) -> Case:
        tx = self.tx
        match decision:
            case GiveState():
                return decide(tx, case_id, _STATES[decision.decision], edit)
            case Dismiss():
                return decide(tx, case_id, CaseState.DISMISSED, edit, reason=decision.reason)
            case CallNotMine():
                return call_not_mine(tx, case_id, self.same_pictures[case_id], edit, self.same_pictures.keys()).case
            case CallLicensed():
                return call_licensed(tx, case_id, judging_of(self.desk), edit, until=decision.until)[0]
            case Assign():
                return assign(tx, case_id, decision.to, edit)
            case AddNote():
                return add_note(tx, case_id, edit)
            case ChangeLabels():
                if not decision.add and not decision.remove:
                    raise UsageError("say which labels: `add` or `remove`")
                return label(tx, case_id, edit, add=decision.add, remove=decision.remove)
            case SetDue():
                return set_due(tx, case_id, decision.on, edit)
            case Undo():
                return undo(tx, case_id, edit, lambda: judging_of(self.desk), batch=decision.batch)


def _expected(if_match: str | None) -> int | None:
    """Return the version that If-Match names; None for none and for `*`. Raises UsageError for what is no ETag."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError('If-Match holds the ETag of a case, such as "12", as GET /api/v1/cases/ID gave it')
    return int(text)
