"""The outbox: makes messages and enqueues them, in the transaction that writes what they are about.

The one place where a message gets its id, its timestamp and its bytes. A crash before the commit leaves nothing of
it; after the commit every attempt sends the same id and the same bytes. The room `delivery` sends them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from guardian.model import Message, TaskKind
from guardian.store import Transaction
from guardian.store.audit import AUDIT_HEAD
from guardian.store.ids import new_id
from guardian.views.timestamps import message_timestamp


def mint(type_: str, data: Mapping[str, Any], at: datetime) -> Message:
    """Return a new message of this type about `data` (JSON values), created at `at`. Nothing is written.

    Raises ValueError for infinity and NaN, which JSON does not have.
    """
    envelope = {"type": type_, "timestamp": message_timestamp(at), "data": data}
    return Message(new_id("msg"), type_, at, _encoded(envelope))


def enqueue(tx: Transaction, message: Message, destinations: Sequence[str]) -> Message:
    """Write a message, add a delivery task for each of the named destinations, and return the message as written.

    It carries the head of the audit log, so that whoever receives it can show later that lines are missing.
    """
    message = _with_audit_head(tx, message)
    tx.messages.add(message)
    _owe(tx, message, destinations, message.created_at)
    return message


def enqueue_once(tx: Transaction, message: Message, destinations: Sequence[str], episode: str) -> int:
    """Enqueue a message unless its episode has one already; return how many deliveries are new.

    A destination that is named for the first time after that still gets the first message of the episode.
    """
    first_message = tx.messages.add_first(_with_audit_head(tx, message), episode)
    return _owe(tx, first_message, destinations, message.created_at)


def _with_audit_head(tx: Transaction, message: Message) -> Message:
    head = tx.audit.head()
    if head is None:
        return message
    envelope = json.loads(message.body) | {AUDIT_HEAD: str(head)}
    return replace(message, body=_encoded(envelope))


def _encoded(envelope: Mapping[str, Any]) -> bytes:
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _owe(tx: Transaction, message: Message, destinations: Sequence[str], due_at: datetime) -> int:
    """Add a delivery task for each destination that has none for this message; return how many are new."""
    new_tasks = 0
    for name in destinations:
        task = tx.tasks.add(
            TaskKind.DELIVER,
            f"{message.id}:{name}",
            due_at=due_at,
            at=due_at,
            destination=name,
            message_id=message.id,
        )
        # None: the key is taken, so this destination has, or had, the message already.
        if task is not None:
            new_tasks += 1

    return new_tasks
