"""What people decide about cases: kept with who, when and why, safe between two people, and undone."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from guardian.cases import Edit, RecordedUse, add_note, assign, decide, label, record, set_due, undo
from guardian.cases.absence import missed_in_scan, note_missed
from guardian.errors import CaseChanged, DecidedAlready, UsageError
from guardian.model import (
    Audience,
    Case,
    CaseEvent,
    CaseFilter,
    CaseState,
    DismissReason,
    ScanCounts,
    Severity,
    TaskKind,
)
from guardian.store import Store
from tests.cases.conftest import no_rules

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def edit(minutes: int = 0, by: str = "mara", **more: object) -> Edit:
    return Edit(by, NOON + timedelta(minutes=minutes), **more)  # type: ignore[arg-type]


@pytest.fixture
def case(store: Store, use: Use) -> Case:
    return opened(store, use())


def opened(store: Store, use: RecordedUse, to: tuple[str, ...] = ("legal",)) -> Case:
    with store.begin() as tx:
        case = tx.cases.get(record(tx, use, Audience(to)).case_id or "")
    assert case is not None
    return case


def change(store: Store, function: Callable[..., Case], *arguments: object, **named: object) -> Case:
    with store.begin() as tx:
        return function(tx, *arguments, **named)


def history(store: Store, case: Case) -> list[CaseEvent]:
    with store.read() as tx:
        return tx.case_history.of(case.id)


def told(store: Store) -> int:
    with store.read() as tx:
        return len(tx.tasks.list(TaskKind.DELIVER))


def test_a_decision_is_a_line_with_who_when_and_why(store: Store, case: Case) -> None:
    reason = DismissReason.NOT_WORTH_PURSUING
    dismissed = change(store, decide, case.id, CaseState.DISMISSED, edit(note="a\x00 blog"), reason=reason)
    assert (dismissed.state, dismissed.reason, dismissed.reviewed_by, dismissed.review_note) == (
        CaseState.DISMISSED,
        reason,
        "mara",
        "a blog",
    )
    assert dismissed.version == case.version + 1
    last = history(store, case)[-1]
    assert (last.kind, last.detail, last.by, last.note, last.at) == (
        "dismissed",
        "not_worth_pursuing",
        "mara",
        "a blog",
        NOON,
    )
    with store.read() as tx:
        assert tx.cases.matching(CaseFilter(reasons=(reason,))) == [dismissed]
        assert tx.cases.matching(CaseFilter(reasons=(DismissReason.PERMITTED,))) == []


def test_a_reason_goes_when_the_case_is_taken_up_again(store: Store, case: Case) -> None:
    change(store, decide, case.id, CaseState.DISMISSED, edit(), reason=DismissReason.PERMITTED)
    assert change(store, decide, case.id, CaseState.OPEN, edit()).reason is None


@pytest.mark.parametrize("state", [CaseState.GONE, CaseState.LICENSED])
def test_what_guardian_finds_out_nobody_decides(store: Store, case: Case, state: CaseState) -> None:
    with pytest.raises(UsageError, match="finds out by itself"):
        change(store, decide, case.id, state, edit())


def test_only_a_dismissal_has_a_reason(store: Store, case: Case) -> None:
    with pytest.raises(UsageError, match="only a dismissal"):
        change(store, decide, case.id, CaseState.CLOSED, edit(), reason=DismissReason.PERMITTED)


def test_the_second_of_two_people_learns_what_the_first_did(store: Store, case: Case) -> None:
    change(store, decide, case.id, CaseState.CONFIRMED, edit(note="sue", expected=case.version))
    with pytest.raises(CaseChanged, match="confirmed by mara: sue") as raised:
        change(store, decide, case.id, CaseState.DISMISSED, edit(by="bob", expected=case.version))
    assert raised.value.case.state is CaseState.CONFIRMED
    assert [line.kind for line in raised.value.since] == ["confirmed"]
    now = change(store, decide, case.id, CaseState.DISMISSED, edit(by="bob", expected=raised.value.case.version))
    assert now.state is CaseState.DISMISSED


def test_a_decision_sent_twice_is_made_once(store: Store, case: Case) -> None:
    """Both were sent from the same page, by a button that was pressed twice."""
    sent = edit(note="sue", expected=case.version)
    change(store, decide, case.id, CaseState.CONFIRMED, sent)
    with pytest.raises(DecidedAlready, match="confirmed already, by mara"):
        change(store, decide, case.id, CaseState.CONFIRMED, sent)
    with pytest.raises(CaseChanged, match="confirmed by mara: sue"):
        change(store, decide, case.id, CaseState.CONFIRMED, edit(by="bob", note="ask first", expected=case.version))
    assert [line.kind for line in history(store, case)] == ["opened", "confirmed"]


def test_of_two_who_decide_the_same_at_once_one_changes_the_case(store: Store, case: Case, database: str) -> None:
    other, start = Store(database), threading.Barrier(2)

    def confirm(its: Store, by: str) -> str:
        start.wait()
        try:
            return change(its, decide, case.id, CaseState.CONFIRMED, edit(by=by)).reviewed_by or ""
        except DecidedAlready as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(confirm, (store, other), ("mara", "bob")))
    other.close()
    (first,) = {"mara", "bob"} & set(said)
    assert f"{case.id} is confirmed already, by {first}" in said
    assert [line.kind for line in history(store, case)] == ["opened", "confirmed"]


def test_what_says_something_new_is_a_decision_again(store: Store, case: Case) -> None:
    steps = (None, "sue"), (DismissReason.PERMITTED, None), (DismissReason.PERMITTED, "our shop")
    for reason, note in steps:
        change(store, decide, case.id, CaseState.DISMISSED, edit(note=note), reason=reason)
    for note in (None, "our shop"):
        with pytest.raises(DecidedAlready, match="dismissed already, by mara"):
            change(store, decide, case.id, CaseState.DISMISSED, edit(note=note), reason=DismissReason.PERMITTED)
    assert len(history(store, case)) == 4
    change(store, undo, case.id, edit(), no_rules)
    change(store, decide, case.id, CaseState.CONFIRMED, edit())
    assert [line.kind for line in history(store, case)][-3:] == ["dismissed", "undone", "confirmed"]


def test_another_sighting_does_not_disturb_who_decides(store: Store, use: Use, case: Case) -> None:
    opened(store, use("https://thief.example/more", minutes=9))
    assert change(store, decide, case.id, CaseState.CONFIRMED, edit(expected=case.version)).finding_count == 2


def test_an_escalation_does(store: Store, use: Use, case: Case) -> None:
    opened(store, use(severity=Severity.CRITICAL, minutes=9))
    with pytest.raises(CaseChanged, match="escalated"):
        change(store, decide, case.id, CaseState.DISMISSED, edit(expected=case.version))


def test_assignee_labels_and_day_are_kept_found_and_undone_one_by_one(store: Store, case: Case) -> None:
    change(store, assign, case.id, "bob", edit())
    change(store, label, case.id, edit(1), add=["münchen", 'a "b" %'])
    changed = change(store, set_due, case.id, date(2026, 12, 1), edit(2))
    assert (changed.assignee, changed.labels, changed.due_on) == ("bob", ("münchen", 'a "b" %'), date(2026, 12, 1))
    with store.read() as tx:
        for wanted in (
            CaseFilter(assignee="bob"),
            CaseFilter(label="münchen"),
            CaseFilter(label='a "b" %'),
            CaseFilter(due_by=date(2026, 12, 1)),
        ):
            assert tx.cases.matching(wanted) == [changed], wanted
        for unwanted in (CaseFilter(assignee="b"), CaseFilter(label="%"), CaseFilter(due_by=date(2026, 11, 30))):
            assert tx.cases.matching(unwanted) == [], unwanted

    fewer = change(store, label, case.id, edit(3), remove=["münchen"])
    assert fewer.labels == ('a "b" %',)
    assert history(store, case)[-1].detail == "-münchen"
    undone = [change(store, undo, case.id, edit(4 + step), no_rules) for step in range(4)]
    assert [(one.assignee, one.labels, one.due_on) for one in undone] == [
        ("bob", changed.labels, changed.due_on),
        ("bob", changed.labels, None),
        ("bob", (), None),
        (None, (), None),
    ]


def test_undo_goes_back_step_by_step_and_the_history_only_grows(store: Store, case: Case) -> None:
    change(store, decide, case.id, CaseState.CONFIRMED, edit(note="sue"))
    change(store, add_note, case.id, edit(1, note="called them"))
    change(store, decide, case.id, CaseState.DISMISSED, edit(2), reason=DismissReason.PERMITTED)
    back = change(store, undo, case.id, edit(3, by="bob", note="wrong key"), no_rules)
    assert (back.state, back.reason, back.review_note) == (CaseState.CONFIRMED, None, "sue")
    assert change(store, undo, case.id, edit(4), no_rules).state is CaseState.OPEN
    with pytest.raises(UsageError, match="could be undone"):
        change(store, undo, case.id, edit(5), no_rules)
    lines = history(store, case)
    assert [line.kind for line in lines] == ["opened", "confirmed", "noted", "dismissed", "undone", "undone"]
    assert [line.undoes for line in lines[-2:]] == [lines[3].number, lines[1].number]
    assert (lines[4].by, lines[4].note, lines[4].detail) == ("bob", "wrong key", "dismissed")


def test_a_decision_that_a_sighting_has_overtaken_is_not_undone(store: Store, use: Use, case: Case) -> None:
    change(store, decide, case.id, CaseState.CLOSED, edit())
    change(store, assign, case.id, "bob", edit(1))
    opened(store, use("https://thief.example/again", minutes=3000))
    assert change(store, undo, case.id, edit(2), no_rules).assignee is None
    with pytest.raises(UsageError, match=r"moved on since it was closed: .*reopened"):
        change(store, undo, case.id, edit(3), no_rules)


def test_a_closed_case_reopens_as_a_resolved_one_does(store: Store, use: Use, case: Case) -> None:
    change(store, decide, case.id, CaseState.CLOSED, edit())
    assert opened(store, use(minutes=2000)).state is CaseState.CLOSED
    assert told(store) == 1
    assert opened(store, use("https://thief.example/again", minutes=3000)).state is CaseState.OPEN
    assert told(store) == 2


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.CONFIRMED, CaseState.NOTICE_SENT])
def test_a_case_without_any_use_left_is_gone_and_open_again_when_one_returns(
    store: Store, use: Use, case: Case, state: CaseState
) -> None:
    if state is not CaseState.OPEN:
        change(store, decide, case.id, state, edit())
    assert missed(store, 1, case) is state
    assert missed(store, 2, case) is CaseState.GONE
    back = opened(store, use(minutes=9000))
    assert back.state is CaseState.OPEN
    assert [line.kind for line in history(store, case)][-2:] == ["gone", "returned"]
    assert "back after it was gone since" in (history(store, case)[-1].note or "")
    assert told(store) == 1, "who was told of the case and asked for nothing more is not told of its return"


@pytest.mark.parametrize("state", [CaseState.DISMISSED, CaseState.CLOSED, CaseState.RESOLVED])
def test_what_a_person_has_done_with_does_not_go(store: Store, case: Case, state: CaseState) -> None:
    change(store, decide, case.id, state, edit())
    assert [missed(store, times, case) for times in (1, 2)] == [state, state]


def missed(store: Store, times: int, case: Case) -> CaseState:
    """One more complete scan that does not see anything; the state of the case after it."""
    at = NOON + timedelta(days=times)
    with store.begin() as tx:
        if times == 1:
            tx.scans.end(tx.scans.start("web", NOON).id, NOON, "completed", ScanCounts(), None)
        note_missed(tx, missed_in_scan(tx, "web", ScanCounts()), at)
        now = tx.cases.get(case.id)
    assert now is not None
    return now.state


def test_what_nobody_could_be_told_of_is_told_when_somebody_is_named(store: Store, use: Use, case: Case) -> None:
    opened(store, use(severity=Severity.HIGH, minutes=9), to=())
    assert opened(store, use(minutes=10), to=()).untold == "escalated"
    assert told(store) == 1
    after = opened(store, use(minutes=11))
    assert (told(store), after.untold, after.severity) == (2, None, Severity.HIGH)
    opened(store, use(minutes=12))
    assert told(store) == 2, "once"


def test_what_a_person_has_decided_meanwhile_is_not_told_any_more(store: Store, use: Use, case: Case) -> None:
    opened(store, use(severity=Severity.HIGH, minutes=9), to=())
    change(store, decide, case.id, CaseState.CONFIRMED, edit())
    opened(store, use(minutes=11))
    assert told(store) == 1
