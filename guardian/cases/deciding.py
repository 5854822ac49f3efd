"""Changes cases as people decide. Each change says who, when and why, is a line of the history, and can be undone.

The command line, the pages and the API all call these functions in a transaction of theirs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime

import structlog

from guardian.cases.rejudging import Judging, judge_again, uses_under
from guardian.errors import CaseChanged, DecidedAlready, UsageError
from guardian.model import STATES_OF_PEOPLE, Case, CaseEvent, CaseState, Decided, DismissReason
from guardian.store import Transaction
from guardian.store.ids import is_of_batch
from guardian.views.cases import event_text
from guardian.views.plain_text import cleaned

_MAX_NOTE = 4_000
_MAX_NAME = 200
_MAX_LABEL = 60
_MAX_LABELS = 50

_OTHER_CHANGES = {"assigned": ("assignee",), "labelled": ("labels",), "due": ("due_on",)}
"""What the changes beside decisions change, by the kind of their line in the history."""

GRANTED = "granted"
"""The kind of the line of somebody who said that a use is licensed; its detail is the licence."""

_OF_A_DECISION = ("state", "reason", "reviewed_by", "review_note")
"""What a decision changes."""

_MOVED_BY_GUARDIAN = frozenset({"reopened", "returned", "gone", "licensed", "unlicensed", "merged", "split"})
"""Kinds of lines that may have given a case another state since a decision, which then cannot be undone any more."""

_STATE_OF_GRANTED = CaseState.LICENSED.value

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Edit:
    """Who changes a case, when, and why.

    `expected` is the version of the case that they saw: if it has another one by now, nothing is changed and they learn
    what was. None: whatever it has. `batch` is shared by what is decided about several cases at once.
    """

    by: str
    at: datetime
    note: str | None = None
    expected: int | None = None
    batch: str | None = None


def decide(tx: Transaction, case_id: str, state: CaseState, edit: Edit, *, reason: DismissReason | None = None) -> Case:
    """Give a case the state that a person decided on; return the case. Any state may follow any other.

    `reason`: why it is dismissed. Raises UsageError for an unknown case, for a state that guardian itself finds out
    (`licensed`, `gone`) and for a reason of anything but a dismissal; CaseChanged for another version; DecidedAlready
    where it has this state and reason, whatever its version, and the note says nothing new.
    """
    if state not in STATES_OF_PEOPLE:
        raise UsageError(f"guardian finds out by itself that a case is {state.value}; nobody decides it")
    if reason is not None and state is not CaseState.DISMISSED:
        raise UsageError(f"only a dismissal has such a reason; write why a case is {state.value} as its note")

    case = _locked(tx, case_id)
    # Before the version is compared: a button pressed twice, or a colleague who decided the same, left nothing to do.
    # Pictures that are not one's own are remembered anew, whatever the case is.
    is_same = (case.state, case.reason) == (state, reason) and reason is not DismissReason.NOT_MINE
    if is_same and _note(edit.note) in (None, case.review_note):
        # An open case may have been decided otherwise before it was opened again.
        by = f", by {case.reviewed_by}" if case.reviewed_by and state is not CaseState.OPEN else ""
        raise DecidedAlready(f"{case.id} is {state.value.replace('_', ' ')} already{by}", case)

    _require_version(tx, case, edit)
    decided = replace(
        case, state=state, reason=reason, reviewed_by=_name(edit.by), review_note=_note(edit.note), untold=None
    )
    return _write(tx, case, decided, edit, state.value, reason.value if reason is not None else None)


def assign(tx: Transaction, case_id: str, to: str | None, edit: Edit) -> Case:
    """Make somebody responsible for a case, None for nobody; return the case. Raises as `decide`."""
    case = _seen(tx, case_id, edit)
    person = (_name(to).strip() or None) if to is not None else None
    return _write(tx, case, replace(case, assignee=person), edit, "assigned", person)


def label(tx: Transaction, case_id: str, edit: Edit, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Case:
    """Put labels on a case and take others off; return the case. Raises as `decide`, and for an empty label."""
    added = [cleaned(text).strip()[:_MAX_LABEL] for text in add]
    if not all(added):
        raise UsageError("a label has at least one character")

    case = _seen(tx, case_id, edit)
    kept = [text for text in case.labels if text not in remove]
    labels = tuple(dict.fromkeys([*kept, *added]))
    if len(labels) > _MAX_LABELS:
        raise UsageError(f"{case.id} would have {len(labels)} labels; at most {_MAX_LABELS} are kept")

    gained = [f"+{text}" for text in labels if text not in case.labels]
    lost = [f"-{text}" for text in case.labels if text not in labels]
    return _write(tx, case, replace(case, labels=labels), edit, "labelled", " ".join([*gained, *lost]))


def set_due(tx: Transaction, case_id: str, on: date | None, edit: Edit) -> Case:
    """Set the day until which a case wants to be dealt with, None for no day; return the case. Raises as `decide`."""
    case = _seen(tx, case_id, edit)
    return _write(tx, case, replace(case, due_on=on), edit, "due", on.isoformat() if on is not None else None)


def add_note(tx: Transaction, case_id: str, edit: Edit) -> Case:
    """Add the note of `edit` to a case's history; return the case. Raises as `decide`, and for an empty note."""
    if not edit.note or not cleaned(edit.note).strip():
        raise UsageError("a note has at least one character")

    case = _seen(tx, case_id, edit)
    tx.case_history.note(_line(case, edit, "noted"))
    return tx.cases.update(replace(case, updated_at=edit.at))


def undo(
    tx: Transaction, case_id: str, edit: Edit, judging: Callable[[], Judging], *, batch: str | None = None
) -> Case:
    """Undo what a person changed last at a case and has not undone yet; return the case.

    What it was before holds again; the history keeps both lines. Several times undoes several changes. Notes stay. That
    a picture is not one's own is undone as a whole, with the cases that were closed because of it. Raises as `decide`;
    UsageError too when there is nothing to undo, or when the case has moved on since (a use was seen again, say), so
    that it would be wrong to take it back. `judging` is asked for what uses are judged by when a licence is taken out
    again, and only then. `batch`: the decision about several cases that is meant; UsageError where something else was
    changed last.
    """
    case = _seen(tx, case_id, edit)
    line = last_change(tx, case) if batch is None else require_last(tx, case, batch)
    if line.kind == GRANTED:
        case = _withdraw_licence(tx, case, line, edit, judging)
    restored = _take_back(tx, case, line, edit)
    if line.kind == CaseState.DISMISSED and line.detail == DismissReason.NOT_MINE and line.batch is not None:
        tx.lookalikes.remove_batch(line.batch)
        for other, its_line in _others_of_batch(tx, case, line.batch):
            _take_back(tx, other, its_line, edit)
    return restored


def cases_of_decision(tx: Transaction, batch: str) -> list[str]:
    """Return the cases at which `undo` takes back a decision about several, in its order.

    Cases that were closed because a picture is not one's own come back with the case where that was said, so they are
    not among them. Raises UsageError when no decision has this id.
    """
    lines = [line for line in tx.case_history.lines_of_batch(batch) if line.before is not None]
    said = [line for line in lines if line.detail == DismissReason.NOT_MINE]
    if not lines:
        raise UsageError(f"there is no decision {batch} that could be undone")
    return list(dict.fromkeys(line.case_id for line in said or lines))


def _take_back(tx: Transaction, case: Case, line: CaseEvent, edit: Edit) -> Case:
    """Make what a line of a case's history changed as it was before; return the case."""
    before = line.before
    if before is None:
        raise LookupError(f"a line that can be undone says what was before: {line}")

    names = _OTHER_CHANGES.get(line.kind, _OF_A_DECISION)
    restored = replace(case, **{name: getattr(before, name) for name in names}, updated_at=edit.at)
    tx.case_history.note(replace(_line(case, edit, "undone"), detail=line.kind, undoes=line.number))
    log.info("case_undone", case=case.id, undone=line.kind, by=_name(edit.by))
    return tx.cases.update(restored)


def _withdraw_licence(tx: Transaction, case: Case, line: CaseEvent, edit: Edit, judging: Callable[[], Judging]) -> Case:
    """Take out the licence that a line of a case's history has granted; return the case as uses are judged now."""
    licence = tx.licences.get(line.detail or "")
    if licence is None:
        return case

    rules = judging()
    tx.licences.remove(licence.id)
    judge_again(tx, uses_under(tx, licence), rules, edit.at)
    return tx.cases.lock(case.id) or case


def _others_of_batch(tx: Transaction, case: Case, batch: str) -> list[tuple[Case, CaseEvent]]:
    """Return the other cases that a decision closed, with its line, if nobody has decided anything about them since."""
    found = []
    for line in tx.case_history.lines_of_batch(batch):
        other = tx.cases.lock(line.case_id) if line.case_id != case.id and line.before is not None else None
        if other is not None and other.reason is DismissReason.LOOK_ALIKE:
            latest = [one for one in tx.case_history.of(other.id) if one.before is not None or one.undoes is not None]
            if latest[-1].number == line.number:
                found.append((other, line))
    return found


@dataclass(slots=True)
class CaseChange:
    """A change under way: the case as it was, and what its line will say."""

    case: Case
    detail: str | None = None


@contextmanager
def note_change(tx: Transaction, case_id: str, edit: Edit, kind: str) -> Iterator[CaseChange]:
    """Write the line by which can be undone what the body has changed at a case. Raises as `decide`."""
    change = CaseChange(_seen(tx, case_id, edit))
    yield change
    case = change.case
    before = _decided(case)
    tx.case_history.note(replace(_line(case, edit, kind), detail=change.detail, before=before))
    log.info("case_reviewed", case=case.id, change=kind, by=_name(edit.by))


def was_decided(history: Sequence[CaseEvent]) -> bool:
    """Return whether a history has a decision that was not undone: `undo` may still find that the case has moved on."""
    undone = {line.undoes for line in history}
    return any(line.before is not None and line.number not in undone for line in history)


def last_change(tx: Transaction, case: Case) -> CaseEvent:
    """Return the line of a case's history that `undo` would undo. Raises UsageError when it would undo nothing."""
    history = tx.case_history.of(case.id)
    undone = {line.undoes for line in history}
    later: CaseEvent | None = None
    for line in reversed(history):
        if line.before is not None and line.number not in undone:
            gave = _STATE_OF_GRANTED if line.kind == GRANTED else line.kind
            if later is not None and line.kind not in _OTHER_CHANGES and gave != case.state.value:
                raise UsageError(
                    f"{case.id} has moved on since it was {line.kind}: {event_text(later)}; decide anew instead"
                )
            return line
        later = later or (line if line.kind in _MOVED_BY_GUARDIAN else None)

    raise UsageError(f"nobody has decided anything about {case.id} that could be undone")


def require_last(tx: Transaction, case: Case, batch: str) -> CaseEvent:
    """Return the line of a case's history that a decision wrote. Raises UsageError when it is not the one to undo."""
    line = last_change(tx, case)
    if not is_of_batch(line.batch, batch):
        raise UsageError(f"{case.id}: this decision is undone already, or was followed by another: {event_text(line)}")
    return line


def _seen(tx: Transaction, case_id: str, edit: Edit) -> Case:
    """Return a case with its row locked. Raises UsageError without such a case, CaseChanged for another version."""
    case = _locked(tx, case_id)
    _require_version(tx, case, edit)
    return case


def _locked(tx: Transaction, case_id: str) -> Case:
    """Return a case with its row locked. Raises UsageError without such a case."""
    case = tx.cases.lock(case_id)
    if case is None:
        raise UsageError(f"there is no case {case_id}; `guardian case list` shows them")
    return case


def _require_version(tx: Transaction, case: Case, edit: Edit) -> None:
    """Raise CaseChanged for another version than the editor saw."""
    if edit.expected is None or case.version == edit.expected:
        return

    since = tuple(tx.case_history.of(case.id)[-max(1, case.version - edit.expected) :])
    told = "; ".join(event_text(line) for line in since)
    raise CaseChanged(f"{case.id} was changed since you looked at it: {told}", case, since)


def _write(tx: Transaction, case: Case, changed: Case, edit: Edit, kind: str, detail: str | None) -> Case:
    """Write a case as it was changed, and the line that says so."""
    tx.case_history.note(replace(_line(case, edit, kind), detail=detail, before=_decided(case)))
    log.info("case_reviewed", case=case.id, change=kind, state=changed.state.value, by=_name(edit.by))
    return tx.cases.update(replace(changed, updated_at=edit.at))


def _decided(case: Case) -> Decided:
    return Decided(case.state, case.reason, case.reviewed_by, case.review_note, case.assignee, case.labels, case.due_on)


def _line(case: Case, edit: Edit, kind: str) -> CaseEvent:
    return CaseEvent(case.id, edit.at, kind, by=_name(edit.by), note=_note(edit.note), batch=edit.batch)


def _name(text: str) -> str:
    return cleaned(text)[:_MAX_NAME]


def _note(text: str | None) -> str | None:
    return cleaned(text)[:_MAX_NOTE] if text else None
