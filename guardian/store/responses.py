"""The HTTP cache's rows: what servers last answered, so that the next request can be conditional (RFC 9111)."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from guardian.model import Remembered
from guardian.store.inserting import insert_into
from guardian.store.scan_tables import responses
from guardian.urls.addresses import canonical_url


class Responses:
    """The responses table: one row for each canonical address, http and https apart."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, url: str) -> Remembered | None:
        """Return what is kept of the last complete answer of an address; None when nothing is.

        Its `sha256` is the key of the matcher's answer for a picture; see `candidates`.
        """
        row = self._connection.execute(select(responses).where(responses.c.key == _key(url))).first()
        if row is None:
            return None

        return Remembered(
            url=row.url,
            etag=row.etag,
            last_modified=row.last_modified,
            sha256=row.sha256,
            fetched_at=row.fetched_at,
            checked_at=row.checked_at,
            extract=row.extract,
        )

    def remember(self, answer: Remembered) -> None:
        """Write what a complete answer (200, not 304) was like, in place of the answer before."""
        values = {
            "url": answer.url,
            "etag": answer.etag,
            "last_modified": answer.last_modified,
            "sha256": answer.sha256,
            "fetched_at": answer.fetched_at,
            "checked_at": answer.checked_at,
            "extract": answer.extract,
        }
        statement = insert_into(self._connection, responses).values(key=_key(answer.url), **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))

    def confirm(self, url: str, at: datetime) -> None:
        """Record that the server confirmed the last answer (304)."""
        self._connection.execute(update(responses).where(responses.c.key == _key(url)).values(checked_at=at))

    def forget(self, url: str) -> None:
        """Delete what is known of an address, so that the next request is unconditional."""
        self._connection.execute(delete(responses).where(responses.c.key == _key(url)))

    def forget_before(self, at: datetime, limit: int) -> int:
        """Delete up to `limit` answers that were last confirmed before then; return how many."""
        # In portions, so that nobody who writes waits for long.
        stale = select(responses.c.key).where(responses.c.checked_at < at).limit(limit)
        return self._connection.execute(delete(responses).where(responses.c.key.in_(stale))).rowcount


def _key(url: str) -> str:
    """Return a digest (32 hex digits) of the canonical address, which itself may be longer than an index takes."""
    return hashlib.sha256(canonical_url(url).encode()).hexdigest()[:32]
