"""Stores the processes that work on this database, and when each was last heard of."""

from datetime import timedelta

from sqlalchemy import Connection, Row, delete, not_, select

from guardian.model import Process
from guardian.store.inserting import insert_into
from guardian.store.leases import is_over, lease_clock
from guardian.store.tables import processes


class Processes:
    """The processes table: one row for each process at work; it goes when the process ends or is lost."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, id_: str, lease: timedelta, *, host: str, pid: int, command: str) -> Process:
        """Write that a process is alive until its lease ends, and return its row.

        The first call registers it. So does the next call of a process that was suspended and removed as lost.
        """
        now = lease_clock(self._connection)
        alive = {"heartbeat_at": now, "leased_until": now + lease}
        statement = insert_into(self._connection, processes).values(
            id=id_, host=host, pid=pid, command=command, started_at=now, **alive
        )
        beaten = statement.on_conflict_do_update(index_elements=["id"], set_=alive).returning(*processes.c)
        return _process(self._connection.execute(beaten).one())

    def living(self) -> list[Process]:
        """Return processes whose lease lasts, the oldest first."""
        over = is_over(processes.c.leased_until, lease_clock(self._connection))
        query = select(processes).where(not_(over)).order_by(processes.c.started_at, processes.c.id)
        return [_process(row) for row in self._connection.execute(query)]

    def lost(self) -> list[Process]:
        """Return processes that were not heard of within their lease."""
        over = is_over(processes.c.leased_until, lease_clock(self._connection))
        return [_process(row) for row in self._connection.execute(select(processes).where(over))]

    def remove(self, id_: str) -> bool:
        """Delete a process that has ended or was lost; return False when it was deleted before.

        The caller frees, in the same transaction, what the process had claimed.
        """
        removed = self._connection.execute(delete(processes).where(processes.c.id == id_).returning(processes.c.id))
        return removed.first() is not None


def _process(row: Row[tuple[object, ...]]) -> Process:
    return Process(
        id=row.id,
        host=row.host,
        pid=row.pid,
        command=row.command,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        leased_until=row.leased_until,
    )
