"""What people decide in the desk: one form for one case, one for many; both lead back to where they were sent from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from guardian.cases import Edit, add_note, assign, decide, label, set_due, undo
from guardian.errors import CaseChanged, UsageError
from guardian.model import Case, CaseState, DismissReason
from guardian.store import Transaction


class Decision(StrEnum):
    """What a button of the desk does to a case."""

    CONFIRM = "confirm"
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

DONE_TEXTS = {
    Decision.CONFIRM: "confirmed",
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision as a form says it. `value`: the reason, person, label or day that it needs."""

    decision: Decision
    value: str = ""

    def change(self, tx: Transaction, case_id: str, edit: Edit) -> Case:
        """Make the change at one case; return it. Raises UsageError, CaseChanged."""
        return self._change()(tx, case_id, edit)

    def _change(self) -> Callable[[Transaction, str, Edit], Case]:
        value = self.value.strip()
        if self.decision in _STATES:
            return lambda tx, case_id, edit: decide(tx, case_id, _STATES[self.decision], edit)

        match self.decision:
            case Decision.DISMISS:
                reason = _reason(value)
                return lambda tx, case_id, edit: decide(tx, case_id, CaseState.DISMISSED, edit, reason=reason)
            case Decision.NOT_MINE:
                not_mine = DismissReason.NOT_MINE
                return lambda tx, case_id, edit: decide(tx, case_id, CaseState.DISMISSED, edit, reason=not_mine)
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
                return undo


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a decision about several cases: those that were changed, and why others were not."""

    changed: list[Case]
    refused: list[tuple[str, UsageError]]


def decide_all(tx: Transaction, asked: Asked, cases: list[tuple[str, Edit]]) -> Outcome:
    """Make a change at each of these cases that is as its editor saw it; the others stay and are named."""
    changed: list[Case] = []
    refused: list[tuple[str, UsageError]] = []
    for case_id, edit in cases:
        try:
            changed.append(asked.change(tx, case_id, edit))
        except CaseChanged as error:
            refused.append((error.case.id, error))
        except UsageError as error:
            refused.append((case_id, error))
    return Outcome(changed, refused)


def with_done(path: str, decision: Decision, case_id: str) -> str:
    """Return a path that says what was done there, so that it can be undone."""
    separator = "&" if "?" in path else "?"
    return f"{path}{separator}{urlencode({'done': decision.value, 'case': case_id})}"


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
