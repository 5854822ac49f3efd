"""Named counters that all processes on this database share."""

from sqlalchemy import Connection, select

from guardian.store.inserting import insert_into
from guardian.store.tables import counters


class Counters:
    """The counters table: one row for each name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next(self, name: str) -> int:
        """Increase a counter by one and return it; the first number is 1. No number is ever returned twice."""
        return self.take(name, 1)

    def take(self, name: str, count: int) -> int:
        """Increase a counter by `count` and return the first of these numbers, which are the caller's."""
        # One statement counts and reads, so no two processes can get the same number.
        statement = insert_into(self._connection, counters).values(name=name, value=count)
        counted = statement.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + count})
        last: int = self._connection.execute(counted.returning(counters.c.value)).scalar_one()
        return last - count + 1

    def value(self, name: str) -> int:
        """Return a counter without changing it; 0 for one that was never set."""
        return self._connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar() or 0

    def hold(self, name: str) -> None:
        """Keep a number from being counted up or held by others until the transaction ends."""
        self._connection.execute(select(counters.c.value).where(counters.c.name == name).with_for_update())

    def put(self, name: str, value: int) -> bool:
        """Set a counter; return whether that changed it. Of several callers that set the same value, one gets True."""
        statement = insert_into(self._connection, counters).values(name=name, value=value)
        # The condition makes setting the same value change no row, and so return none.
        changed = statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": value}, where=counters.c.value != value
        )
        return self._connection.execute(changed.returning(counters.c.value)).first() is not None
