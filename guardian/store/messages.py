"""Messages as rows: written once, never changed."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from guardian.model import AuditHead, Message
from guardian.store.audit import AUDIT_HEAD
from guardian.store.chunks import in_chunks
from guardian.store.inserting import insert_into
from guardian.store.retention import is_about_held_case
from guardian.store.tables import messages, tasks, waiting_messages

_EARLY = ":early"
"""Ends the episode of a message that was created by a clock that was ahead."""


class Messages:
    """The messages table. The tasks that refer to a message say which destinations get it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, message: Message) -> None:
        """Write a new message."""
        self._connection.execute(insert(messages).values(**_values(message)))

    def add_first(self, message: Message, episode: str) -> Message:
        """Write the message of an episode unless there is one already; return the one that is stored."""
        # Two processes may find the same trouble at once: the unique episode lets one message win for both.
        statement = insert_into(self._connection, messages).values(**_values(message), episode=episode)
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["episode"]))
        return _message(self._connection.execute(select(messages).where(messages.c.episode == episode)).one())

    def let_tell_again(self, episodes: Sequence[str], created_after: datetime) -> None:
        """Let these episodes have another message where theirs was created after then, by a clock that was ahead.

        Each only once: a machine whose clock stays ahead must not tell of the same again and again.
        """
        other = messages.alias()
        early = messages.c.episode + _EARLY
        has_early = select(other.c.id).where(other.c.episode == early).exists()
        for chunk in in_chunks(episodes):
            is_early = (messages.c.episode.in_(chunk), messages.c.created_at > created_after, ~has_early)
            self._connection.execute(update(messages).where(*is_early).values(episode=early))

    def get(self, id_: str) -> Message | None:
        """Return the message of this id; None when there is none."""
        row = self._connection.execute(select(messages).where(messages.c.id == id_)).first()
        return None if row is None else _message(row)

    def audit_heads(self) -> list[AuditHead]:
        """Return the heads of the audit log that the stored messages carry."""
        heads = set()
        for body in self._connection.execute(select(messages.c.body)).scalars():
            number, _, digest = _audit_head(bytes(body)).partition(":")
            if number.isdecimal():
                heads.add(AuditHead(int(number), digest))
        return sorted(heads, key=lambda head: head.number)

    def digests(self) -> Iterator[tuple[str, str]]:
        """Return the id of each stored message and the SHA-256 of its bytes."""
        for row in self._connection.execute(select(messages.c.id, messages.c.body)):
            yield row.id, hashlib.sha256(bytes(row.body)).hexdigest()

    def forget_unowed(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` messages created before then that no delivery refers to any more; return how many.

        The message of an episode stays, since an episode may last for years: without it, it would be told again.
        """
        is_referred_to = select(tasks.c.id).where(tasks.c.message_id == messages.c.id).exists()
        waits = select(waiting_messages.c.message_id).where(waiting_messages.c.message_id == messages.c.id).exists()
        is_forgettable = (
            messages.c.created_at < before,
            messages.c.episode.is_(None),
            ~is_referred_to,
            ~waits,
            ~is_about_held_case(messages.c.id),
        )
        old = select(messages.c.id).where(*is_forgettable).limit(limit)
        return self._connection.execute(delete(messages).where(messages.c.id.in_(old))).rowcount


def _values(message: Message) -> dict[str, object]:
    return {"id": message.id, "type": message.type, "created_at": message.created_at, "body": message.body}


def _message(row: Row[tuple[object, ...]]) -> Message:
    return Message(row.id, row.type, row.created_at, bytes(row.body))


def _audit_head(body: bytes) -> str:
    """Return the head that a message carries; empty for those of before the log, which may be no JSON object."""
    try:
        envelope = json.loads(body)
    except ValueError:
        return ""
    return str(envelope.get(AUDIT_HEAD, "")) if isinstance(envelope, dict) else ""
