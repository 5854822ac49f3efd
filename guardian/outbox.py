"""The outbox: makes messages and enqueues them, in the transaction that writes what they are about.

The one place where a message gets its id, its timestamp and its bytes. A crash before the commit leaves nothing of
it; after the commit every attempt sends the same id and the same bytes. The package `delivery` sends them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from guardian.model import Message, Routing, Severity, TaskKind, Waiting
from guardian.store import Transaction
from guardian.store.audit import AUDIT_HEAD
from guardian.store.ids import new_id
from guardian.views.timestamps import message_timestamp


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about, by which floods are counted (a work, and the rule that decided), and its severity."""

    work_id: str
    rule: str | None = None
    severity: Severity | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys by which messages are counted. The id of a work is one as it is."""
        return (self.work_id, f"rule:{self.rule}") if self.rule is not None else (self.work_id,)


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


def route(tx: Transaction, message: Message, destinations: Sequence[str], routing: Routing, subject: Subject) -> None:
    """Write a message for destinations that want it: to be sent at once, with a digest, or when a person says so.

    More messages about a work or of a rule in an hour than the routing allows are held; that is told of once.
    """
    tx.messages.add(message)
    at = message.created_at
    flood = _flood(tx, subject, routing, at)
    for name in destinations:
        if flood is not None:
            tx.waiting.add(Waiting(message.id, name, flood, at))
        elif routing.of(name).collects(subject.severity):
            tx.waiting.add(Waiting(message.id, name, None, at))
        else:
            _owe(tx, message, [name], at)

    if flood is not None:
        hour = _hour(at)
        data = {
            "about": flood,
            "limit": routing.flood_limit,
            "hour": message_timestamp(hour),
            "what_to_do": "`guardian delivery held` shows what waits; release it or drop it by what it is about",
        }
        told = routing.wanting("flood.held", destinations)
        enqueue_once(tx, mint("flood.held", data, at), told, f"flood:{flood}:{hour.isoformat()}")


def release(tx: Transaction, held: Sequence[Waiting], at: datetime) -> int:
    """Send messages that were held; return how many deliveries that makes."""
    for one in held:
        message = tx.messages.get(one.message_id)
        if message is not None:
            _owe(tx, message, [one.destination], at)
        tx.waiting.remove(one)
    return len(held)


def _flood(tx: Transaction, subject: Subject, routing: Routing, at: datetime) -> str | None:
    """Count a message, and return the key of the flood that it is part of, if it is."""
    if not routing.flood_limit:
        return None
    counts = {key: tx.waiting.count(key, _hour(at)) for key in subject.keys}
    return next((key for key, number in counts.items() if number > routing.flood_limit), None)


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


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
