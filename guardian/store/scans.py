"""Scans of sources as rows: when they ran, how they ended, and what they counted."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, delete, func, not_, or_, select, update
from sqlalchemy.sql import ColumnElement

from guardian.errors import ClaimLost, SourceClaimed
from guardian.model import Scan, ScanCounts, ScanOutcome
from guardian.store.inserting import insert_into
from guardian.store.leases import is_over, lease_clock
from guardian.store.scan_tables import scans
from guardian.store.tables import processes


class Scans:
    """The scans table.

    A running scan is the claim of its owner on the source: an index lets one at a time run for each source. It
    covers the source's rows of the frontier, which need no owners of their own, since only that scan works on them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(
        self,
        source: str,
        at: datetime,
        owner: str | None = None,
        lease: timedelta = timedelta(),
        latest_known: int | None = None,
    ) -> Scan:
        """Begin a scan, which claims its source, and return it. Raises SourceClaimed while another one is running.

        A running scan whose lease is over, or whose process is gone, is closed as interrupted. `latest_known`: the id
        of the scan (0: none) after which this one was found due; if there is a later one, SourceClaimed is raised too,
        and the transaction must be given up.
        """
        now = lease_clock(self._connection)
        running = (scans.c.source == source, scans.c.ended_at.is_(None))
        self._connection.execute(
            update(scans).where(*running, _is_abandoned(now)).values(ended_at=at, outcome=ScanOutcome.INTERRUPTED)
        )
        statement = insert_into(self._connection, scans).values(
            source=source, started_at=at, counts=ScanCounts(), owner=owner, leased_until=now + lease
        )
        started = self._connection.execute(statement.on_conflict_do_nothing().returning(*scans.c)).first()
        if started is None:
            raise SourceClaimed(self._who_scans(source))

        scan = _scan(started)
        # Only now, with the claim in hand, can no other begin and end between the question and the answer.
        before = self.before(scan)
        if latest_known is not None and (before.id if before else 0) != latest_known:
            raise SourceClaimed(f"{source} was scanned by another process just now")
        return scan

    def renew(self, ids: Collection[int], owner: str, lease: timedelta) -> set[int]:
        """Extend the leases of an owner's running scans; return the ids of those that it still owns."""
        renewed = self._connection.execute(
            update(scans)
            .where(scans.c.id.in_(list(ids)), scans.c.owner == owner, scans.c.ended_at.is_(None))
            .values(leased_until=lease_clock(self._connection) + lease)
            .returning(scans.c.id)
        )
        return set(renewed.scalars())

    def require(self, id_: int, owner: str) -> None:
        """Raise ClaimLost unless this owner's scan is running; it stays so until the transaction ends.

        Called before every write of a scan: a process that was suspended past its lease must change nothing of
        what another one has taken over meanwhile.
        """
        query = select(scans.c.id).where(scans.c.id == id_, scans.c.owner == owner, scans.c.ended_at.is_(None))
        # The share lock makes whoever takes over wait for this transaction (SQLite has one writer anyway).
        if self._connection.execute(query.with_for_update(read=True)).first() is None:
            raise ClaimLost("another process has taken over this scan: this one was not heard of for too long")

    def interrupt(self, owner: str, at: datetime) -> int:
        """Close the running scans of an owner that is lost; returns how many there were."""
        closed = self._connection.execute(
            update(scans)
            .where(scans.c.owner == owner, scans.c.ended_at.is_(None))
            .values(ended_at=at, outcome=ScanOutcome.INTERRUPTED)
            .returning(scans.c.id)
        )
        return len(closed.all())

    def has_ownerless(self) -> bool:
        """Return whether a running scan has no process any more."""
        query = select(scans.c.id).where(scans.c.ended_at.is_(None), _is_ownerless()).limit(1)
        return self._connection.execute(query).first() is not None

    def interrupt_ownerless(self, at: datetime) -> int:
        """Close the running scans that have no process any more; return how many there were."""
        running = update(scans).where(scans.c.ended_at.is_(None), _is_ownerless())
        return self._connection.execute(running.values(ended_at=at, outcome=ScanOutcome.INTERRUPTED)).rowcount

    def abandoned(self) -> set[str]:
        """Return the sources whose latest scan was cut off and is not running: it waits to be continued."""
        newest = select(func.max(scans.c.id)).group_by(scans.c.source)
        is_unfinished = or_(
            scans.c.outcome == ScanOutcome.INTERRUPTED,
            scans.c.ended_at.is_(None) & _is_abandoned(lease_clock(self._connection)),
        )
        query = select(scans.c.source).where(scans.c.id.in_(newest), is_unfinished)
        return set(self._connection.execute(query).scalars())

    def is_running(self, source: str) -> bool:
        """Return whether a living process scans a source at this moment."""
        is_at_work = (scans.c.source == source, scans.c.ended_at.is_(None))
        query = select(scans.c.id).where(*is_at_work, ~_is_abandoned(lease_clock(self._connection)))
        return self._connection.execute(query.limit(1)).first() is not None

    def _who_scans(self, source: str) -> str:
        """Return who scans a source, and since when, for people."""
        query = (
            select(scans.c.started_at, processes.c.pid, processes.c.host, processes.c.command)
            .join(processes, processes.c.id == scans.c.owner, isouter=True)
            .where(scans.c.source == source, scans.c.ended_at.is_(None))
        )
        row = self._connection.execute(query).first()
        if row is None:
            return f"{source} was being scanned by another process a moment ago: try again"

        since = row.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        who = f"process {row.pid} on {row.host} (`{row.command}`)" if row.pid is not None else "another process"
        return f"{source} is being scanned by {who} since {since}: wait for it, or stop it"

    def note(self, id_: int, counts: ScanCounts) -> None:
        """Write what a running scan has counted so far."""
        self._connection.execute(update(scans).where(scans.c.id == id_).values(counts=counts))

    def before(self, scan: Scan) -> Scan | None:
        """Return the scan of the same source before this one; None when there is none."""
        query = select(scans).where(scans.c.source == scan.source, scans.c.id < scan.id).order_by(scans.c.id.desc())
        row = self._connection.execute(query.limit(1)).first()
        return None if row is None else _scan(row)

    def end(
        self, id_: int, at: datetime, outcome: ScanOutcome, counts: ScanCounts | None, error: str | None = None
    ) -> Scan:
        """Write how a scan ended, and return it. Without `counts` those last written stay."""
        facts: dict[str, object] = {"ended_at": at, "outcome": outcome, "error": error and error.replace("\x00", "")}
        if counts is not None:
            facts["counts"] = counts
        ended = self._connection.execute(update(scans).where(scans.c.id == id_).values(**facts).returning(*scans.c))
        return _scan(ended.one())

    def last(self, source: str, outcome: ScanOutcome | None = None) -> Scan | None:
        """Return the latest scan of a source, or the latest with this outcome; None when there is none."""
        query = select(scans).where(scans.c.source == source).order_by(scans.c.id.desc()).limit(1)
        if outcome is not None:
            query = query.where(scans.c.outcome == outcome)
        row = self._connection.execute(query).first()
        return None if row is None else _scan(row)

    def latest(self) -> list[Scan]:
        """Return the latest scan of every source, by source."""
        newest = select(func.max(scans.c.id)).group_by(scans.c.source)
        query = select(scans).where(scans.c.id.in_(newest)).order_by(scans.c.source)
        return [_scan(row) for row in self._connection.execute(query)]

    def forget_before(self, at: datetime, limit: int) -> int:
        """Delete up to `limit` scans that ended before `at`; return how many.

        The latest scan and the latest complete one of each source stay: what is due, and what is wrong with a
        source, is worked out from them.
        """
        latest = select(func.max(scans.c.id)).group_by(scans.c.source)
        latest_complete = latest.where(scans.c.outcome == ScanOutcome.COMPLETED)
        old = select(scans.c.id).where(
            scans.c.ended_at < at, scans.c.id.not_in(latest), scans.c.id.not_in(latest_complete)
        )
        return self._connection.execute(delete(scans).where(scans.c.id.in_(old.limit(limit)))).rowcount

    def list(self, source: str | None = None, limit: int | None = None) -> list[Scan]:
        """Return scans, the newest first."""
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
        owner=row.owner,
    )


def _is_abandoned(now: datetime) -> ColumnElement[bool]:
    """Return the condition that no process works on a running scan any more, at `now` by `lease_clock`."""
    return or_(is_over(scans.c.leased_until, now), _is_ownerless())


def _is_ownerless() -> ColumnElement[bool]:
    """Return the condition that a scan's process is not registered, or that it has none."""
    return or_(scans.c.owner.is_(None), not_(scans.c.owner.in_(select(processes.c.id))))
