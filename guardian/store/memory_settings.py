"""Whether pictures are remembered at all, and of which hosts none is; for all processes on this database."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from guardian.store.counters import Counters
from guardian.store.inserting import insert_into
from guardian.store.seen_tables import unremembered_hosts

_SWITCH = "memory_is_off"


class MemorySettings:
    """What people have said of remembering: a switch, and the hosts that are refused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counters = Counters(connection)

    def refused_hosts(self) -> dict[str, datetime]:
        """Return the hosts of which nothing is remembered, and since when."""
        return {row.host: row.at for row in self._connection.execute(select(unremembered_hosts))}

    def refuse(self, host: str, at: datetime) -> None:
        """Have nothing of a host remembered from now on; one that is refused already stays so since then."""
        statement = insert_into(self._connection, unremembered_hosts).values(host=host, at=at)
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["host"]))

    def allow(self, host: str) -> bool:
        """Let a host be remembered again; return False when it was not refused."""
        gone = delete(unremembered_hosts).where(unremembered_hosts.c.host == host)
        return self._connection.execute(gone).rowcount > 0

    def is_off(self) -> bool:
        """Return whether somebody has switched remembering off in this database."""
        return self._counters.value(_SWITCH) == 1

    def switch(self, *, off: bool) -> bool:
        """Switch remembering off or on for all processes; return whether that changed anything."""
        if not off and not self.is_off():
            return False
        return self._counters.put(_SWITCH, int(off))
