"""A message is minted once and owed once to each destination, on each database."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from guardian.model import TaskKind
from guardian.outbox import enqueue, enqueue_once, mint
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def test_a_minted_message_says_its_type_and_moment_in_its_bytes() -> None:
    message = mint("case.opened", {"title": "Düne"}, NOON.astimezone(timezone(timedelta(hours=2))))
    assert (
        message.body == '{"type":"case.opened","timestamp":"2026-11-24T12:00:00.123Z","data":{"title":"Düne"}}'.encode()
    )
    assert (message.type, message.created_at) == ("case.opened", NOON)
    assert message.id.startswith("msg_")
    assert "." not in message.id, "the dot separates what is signed"
    assert mint("case.opened", {"title": "Düne"}, NOON).id != message.id
    with pytest.raises(ValueError, match="JSON"):
        mint("case.opened", {"probability": float("nan")}, NOON)


def test_one_message_is_owed_to_each_destination(store: Store) -> None:
    with store.begin() as tx:
        message = enqueue(tx, mint("case.opened", {}, NOON), ["legal", "press"])
    with store.read() as tx:
        tasks = tx.tasks.list()
        assert tx.messages.get(message.id) == message
        assert tx.messages.get("msg_none") is None
    assert {(task.kind, task.destination, task.message_id, task.due_at) for task in tasks} == {
        (TaskKind.DELIVER, name, message.id, NOON) for name in ("legal", "press")
    }


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    message = mint("case.opened", {}, NOON)

    def fail() -> None:
        with store.begin() as tx:
            enqueue(tx, message, ["legal"])
            raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        fail()
    with store.read() as tx:
        assert (tx.messages.get(message.id), tx.tasks.list()) == (None, [])


def test_an_episode_has_one_message_also_for_who_is_named_later(store: Store) -> None:
    first, second = mint("source.silent", {"n": 1}, NOON), mint("source.silent", {"n": 2}, LATER)
    with store.begin() as tx:
        assert enqueue_once(tx, first, ["legal"], "gallery 7") == 1
    with store.begin() as tx:
        assert enqueue_once(tx, second, ["legal", "ops"], "gallery 7") == 1
        assert enqueue_once(tx, second, ["legal"], "gallery 8") == 1
    with store.read() as tx:
        owed = [(task.destination, tx.messages.get(task.message_id or "")) for task in tx.tasks.list()]
    said = [(name, json.loads(message.body)["data"]["n"]) for name, message in owed if message is not None]
    assert said == [("legal", 2), ("ops", 1), ("legal", 1)]
