"""Destinations that are disabled, because they answered 410 Gone, until a person enables them again."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from guardian.store.inserting import insert_into
from guardian.store.tables import destinations


class Destinations:
    """The destinations table: a row for each disabled one. The destinations themselves are in the configuration."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def disable(self, name: str, at: datetime, reason: str) -> None:
        """Send nothing to this destination from now on; `reason` is shown to people."""
        # PostgreSQL takes no NUL in a text, and a reason may quote the receiver.
        values = {"disabled_at": at, "reason": reason.replace("\x00", "")}
        statement = insert_into(self._connection, destinations).values(name=name, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def enable(self, name: str) -> bool:
        """Send to this destination again; return False when it was not disabled."""
        statement = delete(destinations).where(destinations.c.name == name).returning(destinations.c.name)
        return self._connection.execute(statement).first() is not None

    def disabled(self) -> dict[str, str]:
        """Return the names of the disabled destinations, and the reason of each."""
        query = select(destinations.c.name, destinations.c.reason).order_by(destinations.c.name)
        return {row.name: row.reason for row in self._connection.execute(query)}
