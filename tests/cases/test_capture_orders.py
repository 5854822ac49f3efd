"""Captures are owed once for each occasion: the first sighting, a return, and what is shown otherwise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from guardian.cases import Kept, RecordedUse, record
from guardian.cases.capture_orders import ask_for_capture, order_of, owe_again, owe_capture
from guardian.model import (
    Action,
    Actor,
    Audience,
    CaptureOrder,
    CaptureReason,
    Case,
    CaseState,
    EvidenceCapture,
    Finding,
    LicenceStatus,
    Task,
    TaskKind,
)
from guardian.model.people import ActorKind
from guardian.store import Store
from tests.cases.conftest import NOON

Use = Callable[..., RecordedUse]
DAY = 24 * 60


def see(store: Store, use: RecordedUse) -> Finding:
    with store.begin() as tx:
        return record(tx, use, Audience())


def owed(store: Store) -> list[CaptureReason]:
    """The reasons of the captures that are owed, oldest first."""
    with store.read() as tx:
        return [order_of(task).reason for task in reversed(tx.tasks.list(TaskKind.CAPTURE))]


def due_of(store: Store, task: Task) -> datetime:
    with store.read() as tx:
        now = tx.tasks.get(task.id)
    assert now is not None
    return now.due_at


def set_state(store: Store, state: CaseState) -> Case:
    with store.begin() as tx:
        (case,) = tx.cases.list()
        return tx.cases.update(replace(case, state=state))


def showing(use: RecordedUse, digit: str) -> RecordedUse:
    """Return the use with other bytes of the picture, which were kept."""
    return replace(use, candidate_sha256=digit * 64, kept=Kept(image_sha256=digit * 64, page_sha256=None))


def test_the_first_sighting_of_a_case_owes_one_capture(store: Store, use: Use) -> None:
    finding = see(store, use())
    see(store, use(minutes=5))
    see(store, use("https://thief.example/other", "https://cdn.example/other.jpg", minutes=6))
    with store.read() as tx:
        (task,) = tx.tasks.list(TaskKind.CAPTURE)
    assert order_of(task) == CaptureOrder(finding.case_id or "", CaptureReason.OPENED)
    assert (task.destination, task.due_at) == (finding.case_id, NOON)


def test_what_is_licensed_or_ignored_owes_none(store: Store, use: Use) -> None:
    licensed = use(action=Action.IGNORE, severity=None)
    see(
        store,
        replace(licensed, licence_status=LicenceStatus.LICENSED, decision=replace(licensed.decision, record=True)),
    )
    assert owed(store) == []


def test_what_is_shown_otherwise_is_captured_again_at_most_once_a_day(store: Store, use: Use) -> None:
    see(store, showing(use(), "1"))
    see(store, showing(use(minutes=1), "2"))
    see(store, showing(use(minutes=2), "3"))
    assert owed(store) == [CaptureReason.OPENED, CaptureReason.CHANGED]

    # What was seen before is no news.
    see(store, showing(use(minutes=DAY + 1), "1"))
    assert len(owed(store)) == 2
    see(store, showing(use(minutes=DAY + 2), "4"))
    assert owed(store)[2:] == [CaptureReason.CHANGED]

    set_state(store, CaseState.DISMISSED)
    see(store, showing(use(minutes=2 * DAY), "5"))
    assert len(owed(store)) == 3


def test_only_the_strongest_use_of_a_case_is_captured_when_it_changes(store: Store, use: Use) -> None:
    weak = ("https://thief.example/weak", "https://cdn.example/weak.jpg")
    see(store, showing(use(), "1"))
    see(store, showing(use(*weak, action=Action.REVIEW, severity=None, minutes=1), "2"))
    see(store, showing(use(*weak, action=Action.REVIEW, severity=None, minutes=2), "3"))
    assert owed(store) == [CaptureReason.OPENED]


def test_a_use_that_is_back_and_a_case_that_is_open_again_are_captured(store: Store, use: Use) -> None:
    finding = see(store, use())
    with store.begin() as tx:
        for minute in (10, 20):
            tx.findings.miss([finding.id], NOON + timedelta(minutes=minute))
    see(store, use(minutes=30))
    assert owed(store) == [CaptureReason.OPENED, CaptureReason.RETURNED]

    set_state(store, CaseState.CLOSED)
    see(store, use("https://thief.example/new", "https://cdn.example/new.jpg", minutes=40))
    assert owed(store)[2:] == [CaptureReason.OPENED]


def test_one_occasion_owes_one_capture(store: Store, use: Use) -> None:
    finding = see(store, use())
    order = CaptureOrder(finding.case_id or "", CaptureReason.ASKED, finding.id, "alice")
    with store.begin() as tx:
        task = owe_capture(tx, order, "a", NOON)
        assert task is not None
        assert order_of(task) == order
        assert owe_capture(tx, order, "a", NOON) is None
        assert owe_capture(tx, order, "b", NOON) is not None


def test_what_the_machine_failed_at_is_owed_again_three_times_and_nobody_waits_for_it(store: Store, use: Use) -> None:
    finding = see(store, use())
    case_id = finding.case_id or ""
    order, pauses = CaptureOrder(case_id, CaptureReason.ASKED, asked_by="alice"), []
    for number in range(5):
        captured = EvidenceCapture(
            f"capture_{number}", case_id, finding.id, order.reason, "alice", NOON, NOON, None, None, "1"
        )
        with store.begin() as tx:
            owe_again(tx, order, captured, NOON)
            again = [one for one in tx.tasks.owed(TaskKind.CAPTURE, case_id) if order_of(one).repeats > order.repeats]
        if again:
            order = order_of(again[0])
            pauses.append(again[0].due_at - NOON)
    assert pauses == [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6)]
    assert (order.finding_id, order.reason, order.asked_by) == (finding.id, CaptureReason.ASKED, "alice")

    with store.begin() as tx:
        asked = ask_for_capture(tx, case_id, Actor(ActorKind.PERSON, "bo", frozenset()), NOON)
    assert order_of(asked).repeats > 0
    assert due_of(store, asked) == NOON, "who asks is not made to wait"
