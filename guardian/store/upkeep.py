"""How far work has come that goes over all rows little by little, or by what it was last done."""

from sqlalchemy import Connection, delete, select

from guardian.store.inserting import insert_into
from guardian.store.search_tables import upkeep


class Upkeep:
    """The upkeep table: a value for each kind of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def value(self, name: str) -> str | None:
        """Return what was noted; None when nothing was."""
        return self._connection.execute(select(upkeep.c.value).where(upkeep.c.name == name)).scalar()

    def note(self, name: str, value: str) -> None:
        """Keep a value in place of the one before."""
        statement = insert_into(self._connection, upkeep).values(name=name, value=value)
        kept = statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
        self._connection.execute(kept)

    def drop(self, name: str) -> None:
        """Forget what was noted."""
        self._connection.execute(delete(upkeep).where(upkeep.c.name == name))
