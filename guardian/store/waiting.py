"""Messages that wait for a digest or for a person, and how many were sent about what in which hour, as rows."""

from datetime import datetime

from sqlalchemy import Column, Connection, Index, Integer, Table, Text, delete, insert, select

from guardian.model import Waiting
from guardian.store.columns import Instant
from guardian.store.inserting import insert_into
from guardian.store.tables import metadata, waiting_messages

# How many messages there were about a work, or by a rule, in an hour.
floods = Table(
    "floods",
    metadata,
    Column("key", Text, primary_key=True),
    Column("hour", Instant, primary_key=True),
    Column("messages", Integer, nullable=False),
    Index(None, "hour"),
)


class WaitingMessages:
    """The tables waiting_messages and floods."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, key: str, hour: datetime) -> int:
        """Count one more message about a key (a work or a rule) in an hour; return how many there are in it now."""
        statement = insert_into(self._connection, floods).values(key=key, hour=hour, messages=1)
        # One statement: between two, a process whose hour is over already might delete the row.
        counted = statement.on_conflict_do_update(
            index_elements=["key", "hour"], set_={"messages": floods.c.messages + 1}
        )
        number: int = self._connection.execute(counted.returning(floods.c.messages)).scalar_one()
        if number == 1:
            self._connection.execute(delete(floods).where(floods.c.hour < hour))
        return number

    def add(self, one: Waiting) -> None:
        """Write that a message waits."""
        values = {"message_id": one.message_id, "destination": one.destination, "key": one.key, "at": one.at}
        self._connection.execute(insert(waiting_messages).values(**values))

    def held(self) -> list[Waiting]:
        """Return the messages that wait for a person, the first held first."""
        query = select(waiting_messages).where(waiting_messages.c.key.is_not(None))
        ordered = query.order_by(waiting_messages.c.at, waiting_messages.c.message_id, waiting_messages.c.destination)
        return [Waiting(**row._mapping) for row in self._connection.execute(ordered)]

    def lock_held(self, key: str) -> list[Waiting]:
        """Return the messages of a flood as `held` does, locked; without those that somebody else decides about."""
        query = select(waiting_messages).where(waiting_messages.c.key == key)
        ordered = query.order_by(waiting_messages.c.at, waiting_messages.c.message_id, waiting_messages.c.destination)
        return [Waiting(**row._mapping) for row in self._connection.execute(ordered.with_for_update())]

    def for_digest(self, destination: str) -> list[Waiting]:
        """Return the messages that wait for a destination's next digest, the first first, locked.

        Those that another process makes a digest of at this moment are left out.
        """
        query = select(waiting_messages).where(
            waiting_messages.c.key.is_(None), waiting_messages.c.destination == destination
        )
        ordered = query.order_by(waiting_messages.c.at, waiting_messages.c.message_id)
        locked = ordered.with_for_update(skip_locked=True)
        return [Waiting(**row._mapping) for row in self._connection.execute(locked)]

    def digests(self) -> dict[str, datetime]:
        """Return the destinations for which something waits for a digest, and since when."""
        query = select(waiting_messages.c.destination, waiting_messages.c.at).where(waiting_messages.c.key.is_(None))
        first: dict[str, datetime] = {}
        for row in self._connection.execute(query.order_by(waiting_messages.c.at)):
            first.setdefault(row.destination, row.at)
        return first

    def remove(self, one: Waiting) -> None:
        """Delete a message that waits no more."""
        self._connection.execute(
            delete(waiting_messages).where(
                waiting_messages.c.message_id == one.message_id, waiting_messages.c.destination == one.destination
            )
        )
