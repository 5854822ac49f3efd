"""Daily request counts by host, so that a restart or another process does not start from zero."""

from datetime import date

from sqlalchemy import Connection, delete, update

from guardian.store.inserting import insert_into
from guardian.store.scan_tables import requests


class Requests:
    """The requests table: one row for each host and day; earlier days are forgotten."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, host: str, day: date, number: int, most: int) -> int:
        """Reserve up to `number` requests to a host, of the `most` that this day allows; return how many."""
        of_host = (requests.c.host == host, requests.c.day == day)
        statement = insert_into(self._connection, requests).values(host=host, day=day, taken=0)
        # One statement writes, locks and reads: between two, a process whose day is over already might delete the row.
        locked = statement.on_conflict_do_update(index_elements=["host", "day"], set_={"taken": requests.c.taken})
        taken: int = self._connection.execute(locked.returning(requests.c.taken)).scalar_one()
        # Once a day for each host is often enough to forget the days before.
        if taken == 0:
            self._connection.execute(delete(requests).where(requests.c.day < day))
        granted = max(0, min(number, most - taken))
        if granted:
            self._connection.execute(update(requests).where(*of_host).values(taken=taken + granted))
        return granted
