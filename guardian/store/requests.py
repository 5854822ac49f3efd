"""Counts the requests to each host on a day, over restarts and over all processes on this database."""

from datetime import date

from sqlalchemy import Connection, delete, select, update

from guardian.store.inserting import insert_into
from guardian.store.tables import requests


class Requests:
    """The requests table: one row for each host and day; earlier days are forgotten."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, host: str, day: date, number: int, most: int) -> int:
        """Reserve up to `number` requests to a host, of at most `most` on this day; return how many were granted."""
        here = (requests.c.host == host, requests.c.day == day)
        statement = insert_into(self._connection, requests).values(host=host, day=day, taken=0)
        # The first request of a day to a host adds its row, and is the time to delete those of earlier days.
        if self._connection.execute(statement.on_conflict_do_nothing().returning(requests.c.host)).first() is not None:
            self._connection.execute(delete(requests).where(requests.c.day < day))

        # Locked, so that two processes together cannot take more than the day allows.
        taken: int = self._connection.execute(select(requests.c.taken).where(*here).with_for_update()).scalar_one()
        granted = max(0, min(number, most - taken))
        if granted:
            self._connection.execute(update(requests).where(*here).values(taken=taken + granted))
        return granted
