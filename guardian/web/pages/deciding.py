"""What people decide in the desk: one form for one case, one for many; both lead back to where they were sent from."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial
from urllib.parse import urlencode

from fastapi import Request

from guardian.cases import Edit, add_note, assign, call_not_mine, decide, label, set_due, undo
from guardian.cases.licensing import call_licensed
from guardian.cases.lookalikes import refuse_too_many, would_close
from guardian.cases.rejudging import Judging
from guardian.errors import CaseChanged, UsageError
from guardian.model import Actor, BrowserSession, Case, CaseState, DismissReason
from guardian.scan.lookalikes import Archive, find_kin
from guardian.store import Store, Transaction
from guardian.web.auth.requests import person_acting
from guardian.web.desk import desk_of
from guardian.web.pages.access import needed_judging


class Decision(StrEnum):
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
    Decision.CONFIRM: CaseState.CONFIRMED,
    Decision.NOTICE_SENT: CaseState.NOTICE_SENT,
    Decision.CLOSE: CaseState.CLOSED,
    Decision.REOPEN: CaseState.OPEN,
}

DECISION_TEXTS = {
    Decision.CONFIRM: "Confirm",
    Decision.LICENSED: "Licensed",
    Decision.NOTICE_SENT: "Notice sent",
    Decision.DISMISS: "Dismiss",
    Decision.NOT_MINE: "Not mine",
    Decision.CLOSE: "Close",
    Decision.REOPEN: "Reopen",
    Decision.ASSIGN: "Assign",
    Decision.LABEL: "Label",
    Decision.UNLABEL: "Take off the label",
    Decision.DUE: "Due",
    Decision.NOTE: "Note",
    Decision.UNDO: "Undo",
}
"""What a button says that makes each."""

DONE_TEXTS = {
    Decision.CONFIRM: "confirmed",
    Decision.LICENSED: "licensed: a licence was written",
    Decision.NOTICE_SENT: "marked: notice sent",
    Decision.DISMISS: "dismissed",
    Decision.NOT_MINE: "dismissed: not mine",
    Decision.CLOSE: "closed",
    Decision.REOPEN: "reopened",
    Decision.ASSIGN: "assigned",
    Decision.LABEL: "labelled",
    Decision.UNLABEL: "no longer labelled so",
    Decision.DUE: "given a day",
    Decision.NOTE: "noted",
    Decision.UNDO: "undone",
}
"""What is said after each."""


_IN_A_TRANSACTION = 100
"""Cases that are changed together when a decision is about many."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What decisions need beside the database: who decides, what uses are judged by, and the kin of each case.

    `kin` has all cases that are called not one's own, also those without kin.
    """

    actor: Actor
    judging: Judging | None
    kin: Mapping[str, Collection[str]] = field(default_factory=dict)

    def needed(self) -> Judging:
        """Return what uses are judged by. Raises UsageError where the rules are not at hand."""
        return needed_judging(self.judging)


async def tools_of(request: Request, session: BrowserSession, asked: "Asked", case_ids: Iterable[str]) -> Tools:
    """Return what a decision needs; the matcher looks for the kin of pictures that are called not one's own.

    Raises UsageError where such a picture is one's own after all.
    """
    desk = desk_of(request)
    case_ids = list(case_ids)
    if asked.is_not_mine:
        refuse_too_many(len(case_ids))
    kin: dict[str, Collection[str]] = dict.fromkeys(case_ids, frozenset()) if asked.is_not_mine else {}
    if kin and desk.services is not None:
        archive = Archive(desk.store, desk.vault, desk.originals, desk.services.workers)
        kin = {case_id: (await find_kin(archive, case_id)).digests for case_id in kin}
    return Tools(person_acting(request, session), desk.judging, kin)


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision as a form says it. `value`: the reason, person, label or day that it needs; of `undo` the batch."""

    decision: Decision
    value: str = ""

    @property
    def is_not_mine(self) -> bool:
        """Whether the picture is called not one's own, whichever button said so."""
        return self.decision is Decision.NOT_MINE or (
            self.decision is Decision.DISMISS and self.value.strip() == DismissReason.NOT_MINE
        )

    def change(self, tx: Transaction, case_id: str, edit: Edit, tools: Tools) -> Case:
        """Make the change at one case, and write who did it from where; return it. Raises UsageError, CaseChanged."""
        case = self._change(tools)(tx, case_id, edit)
        detail = {"version": str(case.version)} | ({"value": self.value[:200]} if self.value else {})
        tx.audit.add(tools.actor, f"case.{self.decision.value}", case.id, edit.at, detail)
        return case

    def _change(self, tools: Tools) -> Callable[[Transaction, str, Edit], Case]:
        value = self.value.strip()
        if self.is_not_mine:
            kin = tools.kin
            return lambda tx, id_, edit: call_not_mine(tx, id_, kin.get(id_, frozenset()), edit, kin.keys()).case
        if self.decision in _STATES:
            return lambda tx, case_id, edit: decide(tx, case_id, _STATES[self.decision], edit)

        match self.decision:
            case Decision.DISMISS:
                reason = _reason(value)
                return lambda tx, case_id, edit: decide(tx, case_id, CaseState.DISMISSED, edit, reason=reason)
            case Decision.LICENSED:
                until = _day(value)
                return lambda tx, case_id, edit: call_licensed(tx, case_id, tools.needed(), edit, until=until)[0]
            case Decision.ASSIGN:
                return lambda tx, case_id, edit: assign(tx, case_id, value or None, edit)
            case Decision.LABEL:
                return lambda tx, case_id, edit: label(tx, case_id, edit, add=[value])
            case Decision.UNLABEL:
                return lambda tx, case_id, edit: label(tx, case_id, edit, remove=[value])
            case Decision.DUE:
                day = _day(value)
                return lambda tx, case_id, edit: set_due(tx, case_id, day, edit)
            case Decision.NOTE:
                return add_note
            case _:
                return lambda tx, case_id, edit: undo(tx, case_id, edit, tools.needed, batch=value or None)


def closed_besides(tx: Transaction, asked: Asked, case_ids: Collection[str], tools: Tools) -> list[Case]:
    """Return the cases that would be closed because these are called not one's own; none for other decisions.

    Raises UsageError as the decision would.
    """
    if not asked.is_not_mine:
        return []
    found = {other.id: other for case_id in case_ids for other in would_close(tx, case_id, tools.kin.get(case_id, ()))}
    return [other for other in found.values() if other.id not in case_ids]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a decision about several cases: those that were changed, and why others were not."""

    changed: list[Case]
    refused: list[tuple[str, UsageError]]


def decide_all(store: Store, asked: Asked, cases: Sequence[tuple[str, Edit]], tools: Tools) -> Outcome:
    """Make a change at each of these cases that is as its editor saw it; the others stay and are named."""
    changed: list[Case] = []
    refused: list[tuple[str, UsageError]] = []
    for start in range(0, len(cases), _IN_A_TRANSACTION):
        # Others may write in between: thousands take seconds.
        part = store.run(partial(_decide_some, asked, cases[start : start + _IN_A_TRANSACTION], tools))
        changed += part.changed
        refused += part.refused
    return Outcome(changed, refused)


def _decide_some(asked: Asked, cases: Sequence[tuple[str, Edit]], tools: Tools, tx: Transaction) -> Outcome:
    outcome = Outcome([], [])
    for case_id, edit in cases:
        try:
            outcome.changed.append(asked.change(tx, case_id, edit, tools))
        except CaseChanged as error:
            outcome.refused.append((error.case.id, error))
        except UsageError as error:
            outcome.refused.append((case_id, error))
    return outcome


def as_changed(case: Case) -> str:
    """Return what names the change that a case has just been given: its id, and its version since."""
    return f"{case.id}:{case.version}"


def with_done(path: str, decision: Decision, changed: str) -> str:
    """Return a path that says what was done there, so that it can be undone.

    `changed`: what names the change, `as_changed` or a batch. A note cannot be undone, nor what was undone: a button
    for that would take back what somebody did before.
    """
    separator = "&" if "?" in path else "?"
    can_undo = decision not in (Decision.NOTE, Decision.UNDO)
    return f"{path}{separator}{urlencode({'done': decision.value, 'case': changed if can_undo else ''})}"


def _reason(text: str) -> DismissReason:
    try:
        return DismissReason(text)
    except ValueError as error:
        raise UsageError("choose why it is dismissed") from error


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{text!r} is no day; write one such as 2026-11-24") from error
