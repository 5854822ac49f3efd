"""Named numbers that all processes share."""

from sqlalchemy import Connection, select

from guardian.store.inserting import insert_into
from guardian.store.tables import counters


class Counters:
    """The counters table: one row for each name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next(self, name: str) -> int:
        """Count one up and return the new number; the first is 1. No number is ever given twice."""
        statement = insert_into(self._connection, counters).values(name=name, value=1)
        counted = statement.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
        number: int = self._connection.execute(counted.returning(counters.c.value)).scalar_one()
        return number

    def hold(self, name: str) -> None:
        """Keep a number from being counted up or held by others until the transaction ends."""
        self._connection.execute(select(counters.c.value).where(counters.c.name == name).with_for_update())

    def put(self, name: str, value: int) -> bool:
        """Set a number; return whether it was another one before. Of several that put the same, one gets True."""
        statement = insert_into(self._connection, counters).values(name=name, value=value)
        changed = statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": value}, where=counters.c.value != value
        )
        return self._connection.execute(changed.returning(counters.c.value)).first() is not None
