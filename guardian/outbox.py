"""Mints messages and owes them to destinations, in the transaction of whatever they speak of.

The one place where a message gets its id, its timestamp and its bytes. A crash before the commit leaves nothing of
it; after the commit every attempt sends the same id and the same bytes. Sending is the room `delivery`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from guardian.model import Message, TaskKind
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.views.timestamps import message_timestamp


def mint(type_: str, data: Mapping[str, Any], at: datetime) -> Message:
    """Return a new message of this type about `data` (JSON values), created at `at`.

    It is nothing but a value until it is enqueued. Raises ValueError for numbers that JSON cannot say.
    """
    envelope = {"type": type_, "timestamp": message_timestamp(at), "data": data}
    body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return Message(new_id("msg"), type_, at, body)


def enqueue(tx: Transaction, message: Message, destinations: Sequence[str]) -> Message:
    """Write a message once and owe it to each of the named destinations; return it."""
    tx.messages.add(message)
    _owe(tx, message, destinations, message.created_at)
    return message


def enqueue_once(tx: Transaction, message: Message, destinations: Sequence[str], episode: str) -> int:
    """Like `enqueue`, but an episode has one message only: the first that was written about it.

    Return to how many destinations a message is owed that was not owed to them before. A destination that was named
    later gets the first message too.
    """
    standing = tx.messages.add_first(message, episode)
    return _owe(tx, standing, destinations, message.created_at)


def _owe(tx: Transaction, message: Message, destinations: Sequence[str], due_at: datetime) -> int:
    """Promise the message to each destination, once; return how many promises are new."""
    promised = [
        tx.tasks.add(
            TaskKind.DELIVER,
            f"{message.id}:{name}",
            due_at=due_at,
            at=due_at,
            destination=name,
            message_id=message.id,
        )
        for name in destinations
    ]
    return sum(task is not None for task in promised)
