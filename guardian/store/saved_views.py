"""Views of the queue that people have saved under a name, as rows."""

from datetime import datetime

from sqlalchemy import Column, Connection, ForeignKey, Table, Text, delete, select

from guardian.model import SavedView
from guardian.store.columns import Instant
from guardian.store.inserting import insert_into
from guardian.store.tables import metadata

saved_views = Table(
    "saved_views",
    metadata,
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    # The query string of the page: what the queue's form chooses.
    Column("query", Text, nullable=False),
    Column("at", Instant, nullable=False),
)


class SavedViews:
    """The saved_views table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_person(self, person_id: str) -> list[SavedView]:
        """Return what a person has saved, by name."""
        query = select(saved_views).where(saved_views.c.person_id == person_id).order_by(saved_views.c.name)
        return [SavedView(row.name, row.query) for row in self._connection.execute(query)]

    def save(self, person_id: str, view: SavedView, at: datetime) -> None:
        """Save a view; one that has this name is replaced."""
        values = {"query": view.query, "at": at}
        statement = insert_into(self._connection, saved_views).values(person_id=person_id, name=view.name, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["person_id", "name"], set_=values))

    def remove(self, person_id: str, name: str) -> bool:
        """Delete the view of this name; return whether there was one."""
        is_it = (saved_views.c.person_id == person_id, saved_views.c.name == name)
        return self._connection.execute(delete(saved_views).where(*is_it)).rowcount > 0
