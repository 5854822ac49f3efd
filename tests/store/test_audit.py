"""The audit log: in a chain, whole, and in the same transaction as what it is about."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, text, update

from guardian.model import Actor, ActorKind, AuditHead, CaseEvent, Message
from guardian.model.people import BY_GUARDIAN
from guardian.outbox import enqueue, mint
from guardian.people.audit import verify
from guardian.store import Store
from guardian.store.audit import DELIVERED, Audit
from guardian.store.connecting import connect
from guardian.store.people_tables import audit
from guardian.store.tables import case_events, messages

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ANNA = Actor(ActorKind.PERSON, "Anna", frozenset(), "192.0.2.7")


@pytest.fixture
def written(store: Store, protect) -> Store:
    """Two decisions in the log, and a history of three lines."""
    asset = protect("a")
    with store.begin() as tx:
        case, _ = tx.cases.insert(asset.id, "shop.example", "alert", None, NOON)
        for hour, kind in enumerate(("opened", "confirmed", "reopened")):
            tx.case_history.note(CaseEvent(case.id, NOON + timedelta(hours=hour), kind, by="Anna", note="so\x01 it is"))
    with store.begin() as tx:
        tx.audit.add(ANNA, "case.confirmed", case.id, NOON, {"note": "ä"})
        tx.audit.add(ANNA, "user.signed_out", None, NOON)
    return store


def changed(store: Store, statement) -> None:
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()


def faults(store: Store, *heads: AuditHead) -> tuple[str, ...]:
    with store.read() as tx:
        return verify(tx, heads).faults


def test_whole_log_verifies_and_reads_back(written: Store) -> None:
    with written.read() as tx:
        found = verify(tx)
        lines = list(tx.audit.lines())
    assert found.faults == ()
    assert (found.lines, found.histories) == (6, 3)
    assert [line.number for line in lines] == [1, 2, 3, 4, 5, 6]
    assert (lines[4].actor, lines[4].address, lines[4].detail) == ("Anna", "192.0.2.7", {"note": "ä"})
    assert found.head == AuditHead(6, lines[5].digest)


def test_transaction_that_fails_leaves_no_line(written: Store) -> None:
    def fail() -> None:
        with written.begin() as tx:
            tx.audit.add(ANNA, "case.dismissed", None, NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with written.read() as tx:
        assert tx.audit.counted() == 6
    assert faults(written) == ()


@pytest.mark.parametrize("number", [1, 3, 5, 6])
def test_changed_line_is_named(written: Store, number: int) -> None:
    changed(written, update(audit).where(audit.c.number == number).values(actor="Bert"))
    assert faults(written)[0].startswith(f"line {number} of the audit log")


def test_removed_line_is_named(written: Store) -> None:
    changed(written, delete(audit).where(audit.c.number == 5))
    assert faults(written) == ("line 5 of the audit log is gone",)


def test_end_that_was_cut_off_is_said(written: Store) -> None:
    with written.read() as tx:
        head = tx.audit.head()
    changed(written, delete(audit).where(audit.c.number >= 5))
    assert faults(written) == ("lines 5 to 6 of the audit log are gone: its end was cut off",)
    # Whoever cuts off the end may turn back the counter too: then a kept head shows it.
    changed(written, text("UPDATE counters SET value = 4 WHERE name = 'audit'"))
    assert faults(written) == ()
    assert faults(written, head) == ("line 6 of the audit log, which a kept head names, is gone",)


def test_log_that_was_written_anew_is_not_that_of_a_kept_head(written: Store) -> None:
    with written.read() as tx:
        head = tx.audit.head()
    changed(written, delete(audit).where(audit.c.number == 6))
    changed(written, text("UPDATE counters SET value = 5 WHERE name = 'audit'"))
    engine = connect(written.url)
    with engine.begin() as connection:
        forged = Audit(connection)
        forged.add(ANNA, "user.removed", None, NOON)
        forged.write()
    engine.dispose()
    assert faults(written) == ()
    assert faults(written, head) == ("line 6 of the audit log is not the one that a kept head names",)


def test_history_that_was_changed_or_removed_is_named(written: Store) -> None:
    changed(written, update(case_events).where(case_events.c.kind == "confirmed").values(note="nothing"))
    found = faults(written)
    assert any("2026-11-24 13:00 UTC that was changed or added" in fault for fault in found)
    assert any("lacks its line of 2026-11-24 13:00 UTC" in fault for fault in found)
    changed(written, delete(case_events).where(case_events.c.kind == "confirmed"))
    assert [fault for fault in faults(written) if "lacks its line of 2026-11-24 13:00 UTC" in fault] == list(
        faults(written)
    )


def test_two_processes_add_lines_in_one_chain(written: Store, database: str) -> None:
    import threading

    other = Store(database)
    start = threading.Barrier(2)

    def add(store: Store) -> None:
        start.wait()
        for _ in range(20):
            with store.begin() as tx:
                tx.audit.add(ANNA, "case.confirmed", None, NOON)

    threads = [threading.Thread(target=add, args=(store,)) for store in (written, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    with written.read() as tx:
        assert verify(tx).faults == ()
        assert tx.audit.counted() == 46


def test_heads_that_messages_carry_are_known_and_odd_messages_of_earlier_versions_are_passed_over(
    written: Store,
) -> None:
    with written.read() as tx:
        head = tx.audit.head()
    with written.begin() as tx:
        for number, body in enumerate((b"\xff no JSON", b"[]", b"{}")):
            tx.messages.add(Message(f"msg_{number}", "unknown", NOON, body))
        enqueue(tx, mint("case.opened", {}, NOON), ["legal"])
    with written.read() as tx:
        assert tx.messages.audit_heads() == [head]


def test_message_that_was_changed_after_it_was_sent_is_named(written: Store) -> None:
    with written.begin() as tx:
        for number, body in enumerate((b"as it was", b"another")):
            tx.messages.add(Message(f"msg_{number}", "case.opened", NOON, body))
        for id_, digest in tx.messages.digests():
            tx.audit.add(BY_GUARDIAN, DELIVERED, id_, NOON, {"destination": "legal", "sha256": digest})
    with written.read() as tx:
        assert verify(tx).faults == ()
    changed(written, update(messages).where(messages.c.id == "msg_0").values(body=b"as it never was"))
    with written.read() as tx:
        (fault,) = verify(tx).faults
        assert "the message msg_0 is not the one that was sent" in fault
        # Nobody reads them on the page of the log: deliveries have their own.
        assert all(line.action != DELIVERED for line in tx.audit.latest(50))
