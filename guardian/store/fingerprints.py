"""The fingerprints of remembered pictures: which wait for a segment of a memory folder, and which lie in one.

Only their rows are here; those that wait are in a column, the others in the segments (guardian/memory/writer.py).
"""

from collections.abc import Collection

from sqlalchemy import Connection, func, or_, select, update

from guardian.store.chunks import in_chunks
from guardian.store.counters import Counters
from guardian.store.labels import Labels
from guardian.store.memory_turn import take_turn
from guardian.store.seen_tables import seen_pictures

NUMBERS = "seen"
"""The counter of the numbers by which segments name pictures."""


def coarse(recipe: str) -> str:
    """Return what marks fingerprints that were made of a preview, by this recipe, until the picture is met again."""
    return f"{recipe}-preview"


class Fingerprints:
    """The columns of remembered pictures that say where the fingerprint of each is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counters = Counters(connection)
        self._labels = Labels(connection)

    def has(self, sha256: str, recipe: str) -> bool:
        """Return whether a picture is remembered with a fingerprint of this recipe, its own or that of one like it."""
        has_one = or_(seen_pictures.c.recipe == recipe, seen_pictures.c.same_as.is_not(None))
        query = select(seen_pictures.c.id).where(seen_pictures.c.sha256 == sha256, has_one)
        return self._connection.execute(query).first() is not None

    def pending(self, shard: str, limit: int) -> dict[int, tuple[str, bytes]]:
        """Return fingerprints that wait for a memory folder, the oldest first: by number, the picture's id and it."""
        waiting = (seen_pictures.c.shard == shard, seen_pictures.c.pending.is_not(None))
        query = select(seen_pictures.c.number, seen_pictures.c.id, seen_pictures.c.pending).where(*waiting)
        rows = self._connection.execute(query.order_by(seen_pictures.c.number).limit(limit))
        return {row.number: (row.id, bytes(row.pending)) for row in rows}

    def count_pending(self, shard: str) -> int:
        """Return how many fingerprints wait for a memory folder."""
        waiting = (seen_pictures.c.shard == shard, seen_pictures.c.pending.is_not(None))
        return self._connection.execute(select(func.count()).select_from(seen_pictures).where(*waiting)).scalar_one()

    def settle(self, sizes: dict[int, int], joined: dict[int, str]) -> None:
        """Note that fingerprints lie in a segment now (`sizes`: number -> bytes there), or that others stand for them.

        `joined`: by number, the id of the remembered picture that is nearly the same.
        """
        take_turn(self._connection)
        for number, size in sizes.items():
            self._write(number, pending=None, bytes=size)
        for number, id_ in joined.items():
            self._write(number, pending=None, bytes=0, same_as=id_)
        # Words around a joined picture count for the picture that stands for it, which may get other labels.
        self._labels.mark(joined.values())

    def _write(self, number: int, **values: object) -> None:
        self._connection.execute(update(seen_pictures).where(seen_pictures.c.number == number).values(**values))

    def numbers_of_shard(self, shard: str, least: int, greatest: int) -> set[int]:
        """Return the numbers from `least` to `greatest` of pictures whose fingerprint a memory folder is to hold."""
        mine = (
            seen_pictures.c.number.between(least, greatest),
            seen_pictures.c.shard == shard,
            seen_pictures.c.same_as.is_(None),
        )
        return set(self._connection.execute(select(seen_pictures.c.number).where(*mine)).scalars())

    def lose(self, shard: str, present: Collection[int], recipe: str) -> int:
        """Note which pictures of a memory folder have no fingerprint in it; return how many.

        `present` are the numbers that its segments hold. Their pictures are made a fingerprint when they are next met.
        """
        take_turn(self._connection)
        here = set(present)
        mine = (seen_pictures.c.shard == shard, seen_pictures.c.pending.is_(None), seen_pictures.c.same_as.is_(None))
        query = select(seen_pictures.c.number).where(*mine, seen_pictures.c.recipe.in_([recipe, coarse(recipe)]))
        lost = [number for number in self._connection.execute(query).scalars() if number not in here]
        for part in in_chunks(lost):
            chosen = seen_pictures.c.number.in_(part)
            self._connection.execute(update(seen_pictures).where(chosen).values(recipe=None, shard=None, bytes=0))
        return len(lost)

    def remake(self, number: int, fingerprint: bytes, recipe: str, shard: str) -> bool:
        """Have a fingerprint of another recipe wait in place of the one before; False when the picture is not known.

        It gets a new number: what the segments hold under the old one no longer counts.
        """
        take_turn(self._connection)
        values = {"recipe": recipe, "shard": shard, "pending": fingerprint, "bytes": len(fingerprint)}
        changed = update(seen_pictures).where(seen_pictures.c.number == number)
        return self._connection.execute(changed.values(number=self._counters.next(NUMBERS), **values)).rowcount > 0

    def drop_recipe(self, shard: str, recipe: str) -> int:
        """Note that a memory folder has no fingerprints of this recipe any more; return how many pictures had one."""
        take_turn(self._connection)
        mine = (
            seen_pictures.c.shard == shard,
            seen_pictures.c.recipe.in_([recipe, coarse(recipe)]),
            seen_pictures.c.pending.is_(None),
            seen_pictures.c.same_as.is_(None),
        )
        dropped = update(seen_pictures).where(*mine).values(recipe=None, shard=None, bytes=0)
        return self._connection.execute(dropped).rowcount

    def bytes_of_shard(self, shard: str) -> int:
        """Return how many bytes the fingerprints and previews take that a memory folder holds."""
        query = select(func.sum(seen_pictures.c.bytes)).where(seen_pictures.c.shard == shard)
        return int(self._connection.execute(query).scalar() or 0)
