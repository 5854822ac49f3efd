"""Searches under a name, and which pictures the watches among them have told of."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, literal, select, update

from guardian.model import NamedSearch, Severity, Watch
from guardian.store.columns import Instant
from guardian.store.inserting import insert_into
from guardian.store.search_tables import named_searches, watch_hits
from guardian.store.seen_tables import seen_pictures


class NamedSearches:
    """The tables named_searches and watch_hits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, name: str, asked: str, at: datetime, *, replaces: bool = True) -> bool:
        """Save a search under a name; where `replaces`, in place of one before, whose watch ends.

        Returns False where there is one of this name which stays, also one that another transaction saved meanwhile.
        """
        if replaces:
            self.remove(name)
        statement = insert_into(self._connection, named_searches).values(name=name, asked=asked, saved_at=at)
        saved = self._connection.execute(statement.on_conflict_do_nothing().returning(named_searches.c.name))
        return saved.first() is not None

    def watch(self, name: str, above: float, severity: Severity, since: datetime) -> bool:
        """Have a search watch what is met from this time on; return False when there is none of this name.

        One that watches already goes on from where it has looked to.
        """
        is_new = named_searches.c.above.is_(None)
        values = {
            "above": above,
            "severity": severity,
            "watched_since": case((is_new, literal(since, Instant)), else_=named_searches.c.watched_since),
            "watched_to": case((is_new, self.newest()), else_=named_searches.c.watched_to),
        }
        changed = update(named_searches).where(named_searches.c.name == name).values(**values)
        return self._connection.execute(changed).rowcount > 0

    def unwatch(self, name: str) -> bool:
        """End the watch of a search, which stays; return False when it does not watch.

        What the watch has told of stays known: it is not told again when the search watches once more.
        """
        watches = (named_searches.c.name == name, named_searches.c.above.is_not(None))
        return self._connection.execute(update(named_searches).where(*watches).values(above=None)).rowcount > 0

    def note_watched(self, name: str, to: int, told: Collection[str], at: datetime) -> None:
        """Keep up to which picture a watch has looked, and of which ones (by SHA-256) it has told."""
        self._connection.execute(update(named_searches).where(named_searches.c.name == name).values(watched_to=to))
        for sha256 in sorted(told):
            statement = insert_into(self._connection, watch_hits).values(name=name, sha256=sha256, at=at)
            self._connection.execute(statement.on_conflict_do_nothing())

    def told(self, name: str, digests: Collection[str]) -> set[str]:
        """Return those of some pictures, by SHA-256, that a watch has told of."""
        query = select(watch_hits.c.sha256).where(watch_hits.c.name == name, watch_hits.c.sha256.in_(digests))
        return set(self._connection.execute(query).scalars())

    def newest(self) -> int:
        """Return the number up to which all remembered pictures can be searched: those that wait come after it."""
        waiting = select(func.min(seen_pictures.c.number)).where(seen_pictures.c.pending.is_not(None))
        first_waiting = self._connection.execute(waiting).scalar()
        if first_waiting is not None:
            return int(first_waiting) - 1
        return int(self._connection.execute(select(func.max(seen_pictures.c.number))).scalar() or 0)

    def get(self, name: str) -> NamedSearch | None:
        """Return the search of this name; None when there is none."""
        row = self._connection.execute(select(named_searches).where(named_searches.c.name == name)).first()
        return None if row is None else _search(row)

    def list(self) -> list[NamedSearch]:
        """Return all searches by name."""
        return [
            _search(row) for row in self._connection.execute(select(named_searches).order_by(named_searches.c.name))
        ]

    def remove(self, name: str) -> bool:
        """Remove a search and what its watch has told of; return False when there is none of this name."""
        self._connection.execute(delete(watch_hits).where(watch_hits.c.name == name))
        return self._connection.execute(delete(named_searches).where(named_searches.c.name == name)).rowcount > 0

    def forget_told(self) -> int:
        """Forget what watches told of pictures that are not remembered any more; return how many rows that were."""
        known = select(seen_pictures.c.sha256).where(seen_pictures.c.sha256 == watch_hits.c.sha256).exists()
        return self._connection.execute(delete(watch_hits).where(~known)).rowcount


def _search(row: Row[Any]) -> NamedSearch:
    watch = None if row.above is None else Watch(row.above, row.severity, row.watched_since, row.watched_to)
    return NamedSearch(row.name, row.asked, row.saved_at, watch)
