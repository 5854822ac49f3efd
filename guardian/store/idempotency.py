"""Answers to requests that carry an Idempotency-Key, so that one sent again is answered and not done again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, Integer, LargeBinary, Table, Text, delete, select, update

from guardian.store.columns import Instant
from guardian.store.inserting import insert_into
from guardian.store.tables import metadata

_ABANDONED_AFTER = timedelta(minutes=5)
"""A request without an answer for so long was cut off; the same may then be sent again."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    # Of method, address, condition and body: another request must not get this answer.
    Column("digest", Text, nullable=False),
    Column("at", Instant, nullable=False),
    # Null while the request is being answered.
    Column("status", Integer),
    Column("headers", Text),
    Column("body", LargeBinary),
)


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request under a key: who sends it, and the SHA-256 of what is sent."""

    actor: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The request that came first under a key, and its answer; `status` is None while there is none."""

    digest: str
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Idempotency:
    """The idempotency table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, claim: KeyedRequest, at: datetime, kept_for: timedelta) -> KeptAnswer | None:
        """Return what came first under this key; None when that is this request, which is noted.

        What is older than `kept_for`, or was cut off, is forgotten.
        """
        old = idempotency.c.at < at - kept_for
        abandoned = idempotency.c.status.is_(None) & (idempotency.c.at < at - _ABANDONED_AFTER)
        self._connection.execute(delete(idempotency).where(old | abandoned))

        statement = insert_into(self._connection, idempotency).values(
            actor=claim.actor, key=claim.key, digest=claim.digest, at=at
        )
        # Insert first and look afterwards: the same request may come twice at once. One that came to nothing may be
        # released between the two.
        inserted = statement.on_conflict_do_nothing(index_elements=["actor", "key"]).returning(idempotency.c.key)
        while self._connection.execute(inserted).first() is None:
            row = self._connection.execute(select(idempotency).where(*_is(claim))).first()
            if row is not None:
                return KeptAnswer(row.digest, row.status, json.loads(row.headers or "{}"), row.body or b"")
        return None

    def keep(self, claim: KeyedRequest, answer: KeptAnswer) -> None:
        """Write the answer to a request."""
        values = {"status": answer.status, "headers": json.dumps(dict(answer.headers)), "body": answer.body}
        self._connection.execute(update(idempotency).where(*_is(claim)).values(**values))

    def release(self, claim: KeyedRequest) -> None:
        """Forget a request that came to nothing."""
        self._connection.execute(delete(idempotency).where(*_is(claim), idempotency.c.status.is_(None)))


def _is(claim: KeyedRequest) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (idempotency.c.actor == claim.actor, idempotency.c.key == claim.key)
