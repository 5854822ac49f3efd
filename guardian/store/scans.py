"""Passes over sources: when, how they ended, and what they counted."""

from datetime import datetime

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from guardian.model import Scan, ScanCounts, ScanOutcome
from guardian.store.tables import scans


class Scans:
    """The scans table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(self, source: str, at: datetime) -> Scan:
        """Note that a scan begins. One of this source that never ended was interrupted, so it is closed."""
        self._connection.execute(
            update(scans)
            .where(scans.c.source == source, scans.c.ended_at.is_(None))
            .values(ended_at=at, outcome=ScanOutcome.INTERRUPTED)
        )
        started = self._connection.execute(
            insert(scans).values(source=source, started_at=at, counts=ScanCounts()).returning(*scans.c)
        )
        return _scan(started.one())

    def note(self, id_: int, counts: ScanCounts) -> None:
        """Keep what a running scan has counted so far."""
        self._connection.execute(update(scans).where(scans.c.id == id_).values(counts=counts))

    def before(self, scan: Scan) -> Scan | None:
        """The scan of the same source before this one."""
        query = select(scans).where(scans.c.source == scan.source, scans.c.id < scan.id).order_by(scans.c.id.desc())
        row = self._connection.execute(query.limit(1)).first()
        return None if row is None else _scan(row)

    def end(
        self, id_: int, at: datetime, outcome: ScanOutcome, counts: ScanCounts | None, error: str | None = None
    ) -> Scan:
        """Note how a scan ended. Without counts those last noted stand."""
        facts: dict[str, object] = {"ended_at": at, "outcome": outcome, "error": error and error.replace("\x00", "")}
        if counts is not None:
            facts["counts"] = counts
        ended = self._connection.execute(update(scans).where(scans.c.id == id_).values(**facts).returning(*scans.c))
        return _scan(ended.one())

    def last(self, source: str, outcome: ScanOutcome | None = None) -> Scan | None:
        """The latest scan of a source, or its latest with this outcome."""
        query = select(scans).where(scans.c.source == source).order_by(scans.c.id.desc()).limit(1)
        if outcome is not None:
            query = query.where(scans.c.outcome == outcome)
        row = self._connection.execute(query).first()
        return None if row is None else _scan(row)

    def latest(self) -> list[Scan]:
        """The latest scan of every source, by source."""
        newest = select(func.max(scans.c.id)).group_by(scans.c.source)
        query = select(scans).where(scans.c.id.in_(newest)).order_by(scans.c.source)
        return [_scan(row) for row in self._connection.execute(query)]

    def forget_before(self, at: datetime, limit: int) -> int:
        """Drop up to `limit` accounts of scans that ended before `at`; returns how many were dropped.

        The latest scan and the latest complete one of each source stay: what is due, and what is wrong with a
        source, is told from them.
        """
        latest = select(func.max(scans.c.id)).group_by(scans.c.source)
        latest_complete = latest.where(scans.c.outcome == ScanOutcome.COMPLETED)
        old = select(scans.c.id).where(
            scans.c.ended_at < at, scans.c.id.not_in(latest), scans.c.id.not_in(latest_complete)
        )
        return self._connection.execute(delete(scans).where(scans.c.id.in_(old.limit(limit)))).rowcount

    def list(self, source: str | None = None, limit: int | None = None) -> list[Scan]:
        """Scans, the newest first."""
        query = select(scans).order_by(scans.c.id.desc())
        if source is not None:
            query = query.where(scans.c.source == source)
        if limit is not None:
            query = query.limit(limit)
        return [_scan(row) for row in self._connection.execute(query)]


def _scan(row: Row[tuple[object, ...]]) -> Scan:
    return Scan(
        id=row.id,
        source=row.source,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        counts=row.counts,
        error=row.error,
    )
