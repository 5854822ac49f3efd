"""Forgets remembered pictures and their addresses: by age, to make room, of a host, or all."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from guardian.store.chunks import in_chunks
from guardian.store.labels import Labels
from guardian.store.memory_settings import MemorySettings
from guardian.store.memory_turn import take_turn
from guardian.store.places import is_on
from guardian.store.retention import is_of_held_case
from guardian.store.seen_tables import seen_addresses, seen_pictures
from guardian.store.words import Words


class Forgetting:
    """Deletes from the tables of remembered pictures, and from those of their words and labels."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settings = MemorySettings(connection)
        self._words = Words(connection)
        self._labels = Labels(connection)

    def count_on(self, host: str) -> tuple[int, int]:
        """Return how many places on a host and below it are remembered, and how many pictures were seen only there."""
        other = seen_addresses.alias()
        has_others = select(other.c.id).where(other.c.picture_id == seen_addresses.c.picture_id, ~is_on(other, host))
        counts = []
        for only_there in ((), (~has_others.exists(),)):
            of = func.count(seen_addresses.c.picture_id.distinct()) if only_there else func.count()
            query = select(of).select_from(seen_addresses).where(is_on(seen_addresses, host), *only_there)
            counts.append(self._connection.execute(query).scalar_one())
        return counts[0], counts[1]

    def forget_unseen_since(self, at: datetime, limit: int) -> int:
        """Forget up to `limit` pictures last seen before then, but for those of cases on hold; return how many."""
        take_turn(self._connection)
        return self._forget_pictures([id_ for id_, _ in self._oldest(limit, seen_pictures.c.last_seen_at < at)])

    def forget_oldest(self, shard: str, size: float, limit: int) -> tuple[int, int]:
        """Forget pictures of a memory folder that were not seen for longest, at most `limit`, to free `size` bytes.

        What was seen at uses of cases on hold stays. Returns how many bytes that frees in the folder, and how many
        pictures were forgotten.
        """
        take_turn(self._connection)
        chosen, freed = [], 0
        for id_, of_one in self._oldest(limit, seen_pictures.c.shard == shard):
            if freed >= size:
                break
            chosen.append(id_)
            freed += of_one
        return freed, self._forget_pictures(chosen)

    def _oldest(self, limit: int, *conditions: ColumnElement[bool]) -> list[tuple[str, int]]:
        """Return ids and bytes of the pictures that were not seen for longest, and that no case on hold has."""
        # A picture that stands for others is needed as long as one of them is.
        like = seen_pictures.alias()
        is_needed = select(like.c.id).where(like.c.same_as == seen_pictures.c.id).exists()
        query = select(seen_pictures.c.id, seen_pictures.c.bytes).where(
            *conditions, ~is_needed, ~is_of_held_case(seen_pictures.c.sha256)
        )
        ordered = query.order_by(seen_pictures.c.last_seen_at, seen_pictures.c.number).limit(limit)
        return [(row.id, row.bytes) for row in self._connection.execute(ordered)]

    def forget_host(self, host: str, at: datetime) -> tuple[int, int]:
        """Forget all places on a host and below it; return how many, and how many pictures were seen nowhere else.

        Nothing of the host is remembered again. Pictures for which a forgotten one stood are without a fingerprint
        until they are next met.
        """
        take_turn(self._connection)
        self._erase_when_deleting()
        self._settings.refuse(host, at)

        gone = delete(seen_addresses).where(is_on(seen_addresses, host)).returning(seen_addresses.c.picture_id)
        touched = list(self._connection.execute(gone).scalars())
        # Which words gave a label is not known: those of other sites give it again.
        self._labels.forget_words(touched)
        without: list[str] = []
        for part in in_chunks(sorted(set(touched))):
            has_others = select(seen_addresses.c.id).where(seen_addresses.c.picture_id == seen_pictures.c.id).exists()
            query = select(seen_pictures.c.id).where(seen_pictures.c.id.in_(part), ~has_others)
            without += self._connection.execute(query).scalars()
        forgotten = self._forget_pictures(without)
        self._words.erase_deleted()
        return len(touched), forgotten

    def forget_all(self) -> tuple[int, int]:
        """Forget every picture and place; return how many places and pictures there were."""
        take_turn(self._connection)
        self._erase_when_deleting()
        places = self._connection.execute(delete(seen_addresses)).rowcount
        pictures = self._connection.execute(delete(seen_pictures)).rowcount
        self._words.erase_deleted()
        return places, pictures

    def _forget_pictures(self, ids: Sequence[str]) -> int:
        for part in in_chunks(ids):
            self._connection.execute(delete(seen_addresses).where(seen_addresses.c.picture_id.in_(part)))
            # Its fingerprint stood for these too: they get their own when they are next met.
            like = select(seen_pictures.c.id).where(seen_pictures.c.same_as.in_(part))
            alone = list(self._connection.execute(like).scalars())
            orphaned = update(seen_pictures).where(seen_pictures.c.same_as.in_(part))
            self._connection.execute(orphaned.values(same_as=None, recipe=None, shard=None, bytes=0))
            self._labels.mark(alone)
            self._connection.execute(delete(seen_pictures).where(seen_pictures.c.id.in_(part)))
        return len(ids)

    def _erase_when_deleting(self) -> None:
        if self._connection.dialect.name == "sqlite":
            # Deleted rows are overwritten with zeros: forgotten means that the bytes are gone.
            self._connection.exec_driver_sql("PRAGMA secure_delete = ON")
