"""Evidence that some version of the bytes at a finding no longer needs, as rows: it may be removed from the disk."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select, text

from guardian.store.inserting import insert_into
from guardian.store.tables import released_evidence

_EVIDENCE_LOCK = 0x65766964


class ReleasedEvidence:
    """The released_evidence table: digests whose bytes may be removed if no version needs them.

    Between keeping bytes and writing the version that needs them, another process might remove them. So whoever writes
    versions holds the evidence with `share` and then looks whether the bytes are there; whoever removes bytes holds
    it alone.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def share(self) -> None:
        """Let nobody remove evidence until the transaction ends."""
        self._lock("pg_advisory_xact_lock_shared")

    def hold_alone(self) -> None:
        """Let nobody write versions until the transaction ends, and wait for those who do."""
        self._lock("pg_advisory_xact_lock")

    def list(self, limit: int, after: str = "") -> list[str]:
        """Return released digests in their order, those after one."""
        query = (
            select(released_evidence.c.sha256)
            .where(released_evidence.c.sha256 > after)
            .order_by(released_evidence.c.sha256)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def add(self, digests: Collection[str], at: datetime) -> None:
        """Note digests whose bytes may be removed, such as those of a capture that may never be finished."""
        rows = [{"sha256": digest, "released_at": at} for digest in sorted(set(digests))]
        if rows:
            statement = insert_into(self._connection, released_evidence)
            self._connection.execute(statement.on_conflict_do_nothing(index_elements=["sha256"]), rows)

    def forget(self, digests: Collection[str]) -> None:
        """Delete digests whose bytes are removed, or needed again."""
        statement = delete(released_evidence).where(released_evidence.c.sha256.in_(list(digests)))
        self._connection.execute(statement)

    def forget_before(self, at: datetime, limit: int) -> int:
        """Delete up to `limit` digests that were released before then, whose bytes no process has; return how many."""
        old = select(released_evidence.c.sha256).where(released_evidence.c.released_at < at).limit(limit)
        statement = delete(released_evidence).where(released_evidence.c.sha256.in_(old))
        return self._connection.execute(statement).rowcount

    def _lock(self, function: str) -> None:
        # On SQLite a transaction that writes is alone anyway.
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text(f"SELECT {function}(:key)"), {"key": _EVIDENCE_LOCK})
