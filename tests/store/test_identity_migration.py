"""Migration 0003 on rows that are rare: what tests/earlier does not hold."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from guardian.coverage.alerts import episode_of
from guardian.coverage.coverage import Trouble, TroubleKind
from guardian.model import TaskState
from guardian.outbox import enqueue_once, mint
from guardian.store import Store
from guardian.store.connecting import connect

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def before(empty_database: str) -> Iterator[Connection]:
    """A database of schema 0002."""
    engine = connect(empty_database)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "guardian.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def promise(connection: Connection, key: str, body: bytes, kind: str = "deliver", minute: int = 0) -> None:
    connection.execute(
        text(
            "INSERT INTO tasks (kind, key, state, due_at, attempts, destination, body, created_at) "
            "VALUES (:kind, :key, 'due', :at, 2, :destination, :body, :at)"
        ),
        {
            "kind": kind,
            "key": key,
            "at": str(NOON.replace(tzinfo=None) + timedelta(minutes=minute)),
            "destination": key.rpartition(":")[2],
            "body": body,
        },
    )


def digest(of: bytes, digits: int) -> str:
    return hashlib.sha256(of).hexdigest()[:digits]


def test_each_message_keeps_the_id_that_receivers_know(before: Connection, empty_database: str) -> None:
    case, odd = b'{"type":"case.opened"}', b"\xff no JSON"
    promise(before, "msg_0a1b:legal", case)
    promise(before, "msg_0a1b:press", case)
    promise(before, "case-1/legal", odd)
    promise(before, "msg_0a1b:legal", b"[]", kind="of a later version")
    before.commit()
    store = Store(empty_database)
    with store.read() as tx:
        third, second, first = tx.tasks.list()
        kept = tx.messages.get(first.message_id or ""), tx.messages.get(third.message_id or "")
    store.close()
    assert first.message_id == second.message_id == f"msg_0a1b_{digest(case, 12)}"
    assert third.message_id == f"msg_{digest(b'case-1/legal' + chr(10).encode() + odd, 32)}"
    assert [(message.type, message.body, message.created_at) for message in kept if message is not None] == [
        ("case.opened", case, NOON),
        ("unknown", odd, NOON),
    ]
    assert {(task.state, task.attempts, task.due_at) for task in (first, second, third)} == {(TaskState.DUE, 2, NOON)}
    assert {task.body for task in (first, second, third)} == {None}

    # A kind that nobody does any more is not listed, and its row stays as it was.
    before.rollback()
    query = "SELECT message_id, body, key, state, attempts FROM tasks WHERE kind = 'of a later version'"
    ((message_id, body, key, state, attempts),) = before.execute(text(query)).all()
    assert (message_id, bytes(body), key, state, attempts) == (None, b"[]", "msg_0a1b:legal", "due", 2)


def test_numbers_of_tasks_are_never_given_twice(before: Connection, empty_database: str) -> None:
    for number in range(3):
        promise(before, f"msg_{number}:legal", b"{}")
    before.execute(text("DELETE FROM tasks WHERE key = 'msg_2:legal'"))
    before.commit()
    store = Store(empty_database)
    with store.begin() as tx:
        assert enqueue_once(tx, mint("source.silent", {}, NOON), ["legal"], "one") == 1
        assert tx.tasks.list()[0].id > 2
    store.close()


def test_an_episode_is_told_to_nobody_who_heard_of_it(before: Connection, empty_database: str) -> None:
    trouble = Trouble(TroubleKind.FAILING, "it answered 403", 7)
    name = f"msg_{digest(b'gallery:failing:7', 24)}"
    # A destination that was added during the episode got a message of its own.
    first = b'{"type":"source.failing","timestamp":"1"}'
    promise(before, f"{name}:legal", first)
    promise(before, f"{name}:ops", b'{"type":"source.failing","timestamp":"2"}', minute=1)
    before.commit()
    store = Store(empty_database)
    with store.begin() as tx:
        again = mint("source.failing", {}, NOON)
        assert len({task.message_id for task in tx.tasks.list()}) == 2
        assert enqueue_once(tx, again, ["legal", "ops"], episode_of("gallery", trouble)) == 0
        assert enqueue_once(tx, again, ["legal", "third"], episode_of("gallery", trouble)) == 1
        newest = tx.tasks.list()[0]
        assert (newest.destination, newest.message_id) == (
            "third",
            f"{name}_{digest(first, 12)}",
        )
    store.close()
