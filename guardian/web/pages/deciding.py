"""What people decide in the desk: one form for one case, one for many; both lead back to where they were sent from."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from urllib.parse import urlencode

from fastapi import Request

from guardian.cases import Edit, add_note, assign, call_not_mine, decide, label, set_due, undo
from guardian.cases.licensing import call_licensed
from guardian.cases.lookalikes import refuse_too_many, would_close
from guardian.cases.rejudging import Judging
from guardian.errors import CaseChanged, UsageError
from guardian.model import Actor, BrowserSession, Case, CaseEvent, CaseState, DismissReason
from guardian.scan.lookalikes import Archive, find_same_pictures
from guardian.store import Store, Transaction
from guardian.views.cases import event_sentence
from guardian.views.timestamps import page_timestamp
from guardian.web.auth.requests import person_acting
from guardian.web.desk import desk_of
from guardian.web.pages.access import needed_judging
from guardian.web.pages.forms import day_in


class DecisionKind(StrEnum):
    """What a button of the desk does to a case."""

    CONFIRM = "confirm"
    LICENSED = "licensed"
    NOTICE_SENT = "notice_sent"
    DISMISS = "dismiss"
    NOT_MINE = "not_mine"
    CLOSE = "close"
    REOPEN = "reopen"
    ASSIGN = "assign"
    LABEL = "label"
    UNLABEL = "unlabel"
    DUE = "due"
    NOTE = "note"
    UNDO = "undo"


_STATES = {
    DecisionKind.CONFIRM: CaseState.CONFIRMED,
    DecisionKind.NOTICE_SENT: CaseState.NOTICE_SENT,
    DecisionKind.CLOSE: CaseState.CLOSED,
    DecisionKind.REOPEN: CaseState.OPEN,
}

DECISION_TEXTS = {
    DecisionKind.CONFIRM: "Confirm",
    DecisionKind.LICENSED: "Licensed",
    DecisionKind.NOTICE_SENT: "Notice sent",
    DecisionKind.DISMISS: "Dismiss",
    DecisionKind.NOT_MINE: "Not mine",
    DecisionKind.CLOSE: "Close",
    DecisionKind.REOPEN: "Reopen",
    DecisionKind.ASSIGN: "Assign",
    DecisionKind.LABEL: "Label",
    DecisionKind.UNLABEL: "Take off the label",
    DecisionKind.DUE: "Due",
    DecisionKind.NOTE: "Note",
    DecisionKind.UNDO: "Undo",
}
"""What a button says that makes each."""

DONE_TEXTS = {
    DecisionKind.CONFIRM: "confirmed",
    DecisionKind.LICENSED: "licensed: a licence was written",
    DecisionKind.NOTICE_SENT: "marked: notice sent",
    DecisionKind.DISMISS: "dismissed",
    DecisionKind.NOT_MINE: "dismissed: not mine",
    DecisionKind.CLOSE: "closed",
    DecisionKind.REOPEN: "reopened",
    DecisionKind.ASSIGN: "assigned",
    DecisionKind.LABEL: "labelled",
    DecisionKind.UNLABEL: "no longer labelled so",
    DecisionKind.DUE: "given a day",
    DecisionKind.NOTE: "noted",
    DecisionKind.UNDO: "undone",
}
"""What is said after each."""


_IN_A_TRANSACTION = 100
"""Cases that are changed together when a decision is about many."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """What decisions need beside the database: who decides, and what uses are judged by.

    `same_pictures`: for each case that is called not one's own, the digests of other bytes that show its pictures.
    """

    actor: Actor
    judging: Judging | None
    same_pictures: Mapping[str, Collection[str]] = field(default_factory=dict)

    def needed(self) -> Judging:
        """Return what uses are judged by. Raises UsageError where the rules are not at hand."""
        return needed_judging(self.judging)


async def context_of_decision(
    request: Request, session: BrowserSession, asked: "RequestedDecision", case_ids: Iterable[str]
) -> DecisionContext:
    """Return what a decision needs; the matcher looks for what else shows pictures that are called not one's own.

    Raises UsageError where such a picture is one's own after all.
    """
    desk = desk_of(request)
    case_ids = list(case_ids)
    if asked.is_not_mine:
        refuse_too_many(len(case_ids))
    same: dict[str, Collection[str]] = dict.fromkeys(case_ids, frozenset()) if asked.is_not_mine else {}
    if same and desk.services is not None:
        archive = Archive(desk.store, desk.vault, desk.originals, desk.services.workers)
        same = {case_id: (await find_same_pictures(archive, case_id)).digests for case_id in same}
    return DecisionContext(person_acting(request, session), desk.judging, same)


@dataclass(frozen=True, slots=True)
class RequestedDecision:
    """A decision as a form says it. `value`: the reason, person, label or day that it needs; of `undo` the batch."""

    decision: DecisionKind
    value: str = ""

    @property
    def is_not_mine(self) -> bool:
        """Whether the picture is called not one's own, whichever button said so."""
        return self.decision is DecisionKind.NOT_MINE or (
            self.decision is DecisionKind.DISMISS and self.value.strip() == DismissReason.NOT_MINE
        )

    def change(self, tx: Transaction, case_id: str, edit: Edit, context: DecisionContext) -> Case:
        """Make the change at one case, and write who did it from where; return it. Raises UsageError, CaseChanged."""
        case = self._change(context)(tx, case_id, edit)
        detail = {"version": str(case.version)} | ({"value": self.value[:200]} if self.value else {})
        tx.audit.add(context.actor, f"case.{self.decision.value}", case.id, edit.at, detail)
        return case

    def check(self, context: DecisionContext) -> None:
        """Raise UsageError for a value that is wrong whatever case it is about, as a day that is none."""
        self._change(context)

    def _change(self, context: DecisionContext) -> Callable[[Transaction, str, Edit], Case]:
        value = self.value.strip()
        if self.is_not_mine:
            same = context.same_pictures
            return lambda tx, id_, edit: call_not_mine(tx, id_, same.get(id_, frozenset()), edit, same.keys()).case
        if self.decision in _STATES:
            return lambda tx, case_id, edit: decide(tx, case_id, _STATES[self.decision], edit)

        match self.decision:
            case DecisionKind.DISMISS:
                reason = _reason(value)
                return lambda tx, case_id, edit: decide(tx, case_id, CaseState.DISMISSED, edit, reason=reason)
            case DecisionKind.LICENSED:
                until = day_in(value)
                return lambda tx, case_id, edit: call_licensed(tx, case_id, context.needed(), edit, until=until)[0]
            case DecisionKind.ASSIGN:
                return lambda tx, case_id, edit: assign(tx, case_id, value or None, edit)
            case DecisionKind.LABEL:
                return lambda tx, case_id, edit: label(tx, case_id, edit, add=[value])
            case DecisionKind.UNLABEL:
                return lambda tx, case_id, edit: label(tx, case_id, edit, remove=[value])
            case DecisionKind.DUE:
                day = day_in(value)
                return lambda tx, case_id, edit: set_due(tx, case_id, day, edit)
            case DecisionKind.NOTE:
                return add_note
            case _:
                return lambda tx, case_id, edit: undo(tx, case_id, edit, context.needed, batch=value or None)


def closed_besides(
    tx: Transaction, asked: RequestedDecision, case_ids: Collection[str], context: DecisionContext
) -> list[Case]:
    """Return the cases that would be closed because these are called not one's own; none for other decisions.

    Raises UsageError as the decision would.
    """
    if not asked.is_not_mine:
        return []
    found = {
        other.id: other
        for case_id in case_ids
        for other in would_close(tx, case_id, context.same_pictures.get(case_id, ()))
    }
    return [other for other in found.values() if other.id not in case_ids]


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What came of a decision about several cases: those that were changed, and why others were not."""

    changed: list[Case]
    refused: list[tuple[str, UsageError]]


def decide_all(
    store: Store, asked: RequestedDecision, cases: Sequence[tuple[str, Edit]], context: DecisionContext
) -> BulkOutcome:
    """Make a change at each of these cases that is as its editor saw it; the others stay and are named.

    Raises UsageError for a decision that can be made about none.
    """
    asked.check(context)
    changed: list[Case] = []
    refused: list[tuple[str, UsageError]] = []
    for start in range(0, len(cases), _IN_A_TRANSACTION):
        # Others may write in between: thousands take seconds.
        part = store.run(partial(_decide_some, asked, cases[start : start + _IN_A_TRANSACTION], context))
        changed += part.changed
        refused += part.refused
    return BulkOutcome(changed, refused)


def _decide_some(
    asked: RequestedDecision, cases: Sequence[tuple[str, Edit]], context: DecisionContext, tx: Transaction
) -> BulkOutcome:
    outcome = BulkOutcome([], [])
    tx.cases.lock_all([case_id for case_id, _ in cases])
    for case_id, edit in cases:
        try:
            outcome.changed.append(asked.change(tx, case_id, edit, context))
        except CaseChanged as error:
            outcome.refused.append((error.case.id, error))
        except UsageError as error:
            outcome.refused.append((case_id, error))
    return outcome


def as_changed(case: Case) -> str:
    """Return what names the change that a case has just been given: its id, and its version since."""
    return f"{case.id}:{case.version}"


def case_name(tx: Transaction, case_id: str) -> str:
    """Return what people call a case: the title of its image, and who shows it; the id where there is no such case."""
    case = tx.cases.get(case_id)
    if case is None:
        return case_id
    asset = tx.assets.get(case.asset_id)
    return f"{asset.title if asset is not None else case.asset_id} at {case.operator}"


def changes_text(events: Iterable[CaseEvent]) -> str:
    """Return what others have done to a case since somebody looked at it."""
    return "; ".join(f"{event_sentence(event)}, {page_timestamp(event.at)}" for event in events)


def with_done(path: str, decision: DecisionKind, changed: str) -> str:
    """Return a path that says what was done there, so that it can be undone.

    `changed`: what names the change, `as_changed` or a batch. A note cannot be undone, nor what was undone: a button
    for that would take back what somebody did before.
    """
    separator = "&" if "?" in path else "?"
    can_undo = decision not in (DecisionKind.NOTE, DecisionKind.UNDO)
    return f"{path}{separator}{urlencode({'done': decision.value, 'case': changed if can_undo else ''})}"


def _reason(text: str) -> DismissReason:
    try:
        return DismissReason(text)
    except ValueError as error:
        raise UsageError("choose why it is dismissed") from error
