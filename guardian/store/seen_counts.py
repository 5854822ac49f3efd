"""Counts over the pictures that scans have met."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from guardian.model import MemoryCounts
from guardian.store.fingerprints import coarse
from guardian.store.seen_tables import seen_addresses, seen_pictures
from guardian.store.tables import candidates


class SeenCounts:
    """The tables of remembered pictures and their addresses, counted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def heads(self) -> int:
        """Return how many pictures are remembered that no near-identical one stands for."""
        query = select(func.count()).select_from(seen_pictures).where(seen_pictures.c.same_as.is_(None))
        return self._connection.execute(query).scalar_one()

    def pictures(self) -> int:
        """Return how many pictures are remembered, each near-identical one by itself."""
        return self._connection.execute(select(func.count()).select_from(seen_pictures)).scalar_one()

    def compared(self, recipe: str, since: datetime | None = None) -> tuple[int, int, int]:
        """Return of how many pictures a comparison by this recipe is kept, at how many places, and of how many none is.

        Counted are pictures that were last seen at a place at or after `since`.
        """
        recent = seen_addresses.c.last_seen_at >= since if since is not None else true()
        is_kept = (
            select(candidates.c.sha256)
            .where(
                candidates.c.sha256 == seen_pictures.c.sha256,
                candidates.c.recipe == recipe,
                candidates.c.report.is_not(None),
            )
            .exists()
        )
        joined = seen_addresses.join(seen_pictures, seen_addresses.c.picture_id == seen_pictures.c.id)
        counts = []
        for condition in (is_kept, ~is_kept):
            query = select(func.count(seen_pictures.c.id.distinct()), func.count()).select_from(joined)
            counts.append(self._connection.execute(query.where(recent, condition)).one())
        return counts[0][0], counts[0][1], counts[1][0]

    def of_memory(self, shard: str, recipe: str) -> MemoryCounts:
        """Return how much is remembered; `shard` and `recipe` are this machine's."""

        def count(*conditions: ColumnElement[bool]) -> int:
            return self._connection.execute(
                select(func.count()).select_from(seen_pictures).where(*conditions)
            ).scalar_one()

        columns = seen_pictures.c
        first, last, size = self._connection.execute(
            select(func.min(columns.first_seen_at), func.max(columns.last_seen_at), func.sum(columns.bytes))
        ).one()
        places, hosts = self._connection.execute(
            select(func.count(), func.count(seen_addresses.c.host.distinct())).select_from(seen_addresses)
        ).one()
        own = columns.same_as.is_(None)
        return MemoryCounts(
            pictures=count(),
            addresses=places,
            hosts=hosts,
            bytes=int(size or 0),
            joined=count(columns.same_as.is_not(None)),
            pending=count(columns.pending.is_not(None)),
            elsewhere=count(own, columns.shard.is_not(None), columns.shard != shard),
            bare=count(own, or_(columns.recipe.is_(None), columns.recipe.not_in([recipe, coarse(recipe)]))),
            coarse=count(own, columns.recipe == coarse(recipe)),
            first_seen_at=first,
            last_seen_at=last,
        )
