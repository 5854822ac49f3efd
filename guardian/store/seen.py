"""Pictures that scans have met, and where: what the memory asks SQL about. See fingerprints.py for what finds them."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select, true

from guardian.model import SeenAddress, SeenPicture
from guardian.store.chunks import in_chunks
from guardian.store.places import is_on
from guardian.store.seen_tables import seen_addresses, seen_pictures

PICTURE_COLUMNS = tuple(column for column in seen_pictures.c if column.name not in ("pending", "bytes"))
"""What a SeenPicture is made of: all columns but those of its fingerprint."""


class Seen:
    """The tables of remembered pictures and their addresses, which newly_seen.py writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> SeenPicture | None:
        """Return the picture with this id or SHA-256; None when it is not remembered."""
        by_either = or_(seen_pictures.c.id == key, seen_pictures.c.sha256 == key)
        row = self._connection.execute(select(*PICTURE_COLUMNS).where(by_either)).first()
        return None if row is None else _picture(row)

    def starting_with(self, prefix: str, limit: int) -> list[SeenPicture]:
        """Return the pictures, at most `limit`, whose id begins with `prefix`."""
        query = select(*PICTURE_COLUMNS).where(seen_pictures.c.id.startswith(prefix, autoescape=True))
        return [_picture(row) for row in self._connection.execute(query.order_by(seen_pictures.c.id).limit(limit))]

    def pictures(self, numbers: Collection[int]) -> dict[int, SeenPicture]:
        """Return remembered pictures by the numbers that the segments name them by; forgotten ones are left out."""
        found = {}
        for part in in_chunks(sorted(numbers)):
            rows = self._connection.execute(select(*PICTURE_COLUMNS).where(seen_pictures.c.number.in_(part)))
            found.update({row.number: _picture(row) for row in rows})
        return found

    def like(self, ids: Collection[str]) -> dict[str, list[SeenPicture]]:
        """Return the near-identical pictures that each of these pictures stands for."""
        found: dict[str, list[SeenPicture]] = {id_: [] for id_ in ids}
        for part in in_chunks(sorted(found)):
            query = select(*PICTURE_COLUMNS).where(seen_pictures.c.same_as.in_(part))
            query = query.order_by(seen_pictures.c.first_seen_at, seen_pictures.c.number)
            for row in self._connection.execute(query):
                found[row.same_as].append(_picture(row))
        return found

    def addresses(self, ids: Collection[str]) -> dict[str, tuple[SeenAddress, ...]]:
        """Return where each of these pictures was seen, the first place first.

        Places of the near-identical pictures that one of them stands for are among its own.
        """
        standing_for = {id_: id_ for id_ in ids}
        for head, others in self.like(ids).items():
            standing_for |= {other.id: head for other in others}

        found: dict[str, list[SeenAddress]] = {id_: [] for id_ in ids}
        for part in in_chunks(sorted(standing_for)):
            query = select(seen_addresses).where(seen_addresses.c.picture_id.in_(part))
            for row in self._connection.execute(query.order_by(seen_addresses.c.first_seen_at, seen_addresses.c.id)):
                found[standing_for[row.picture_id]].append(_address(row))
        return {id_: tuple(sorted(all_, key=lambda one: one.first_seen_at)) for id_, all_ in found.items()}

    def places_of(self, id_: str) -> tuple[SeenAddress, ...]:
        """Return where one picture itself was seen, the first place first."""
        query = select(seen_addresses).where(seen_addresses.c.picture_id == id_)
        ordered = query.order_by(seen_addresses.c.first_seen_at, seen_addresses.c.id)
        return tuple(_address(row) for row in self._connection.execute(ordered))

    def numbers(self, *, host: str | None = None, since: datetime | None = None) -> set[int]:
        """Return the numbers of pictures that were seen on a host or below it, and at or after `since`."""
        query: Select[Any] = select(func.coalesce(_HEAD.c.number, seen_pictures.c.number)).select_from(
            seen_pictures.join(seen_addresses, seen_addresses.c.picture_id == seen_pictures.c.id).outerjoin(
                _HEAD, _HEAD.c.id == seen_pictures.c.same_as
            )
        )
        recent = seen_addresses.c.last_seen_at >= since if since is not None else true()
        on_host = is_on(seen_addresses, host) if host is not None else true()
        return set(self._connection.execute(query.where(recent, on_host)).scalars())

    def uses_of(
        self, digests: Collection[str], since: datetime | None = None
    ) -> Iterator[tuple[SeenPicture, SeenAddress]]:
        """Yield every place of some pictures (by SHA-256) that was last seen at or after `since`."""
        columns = [*(column.label(f"picture_{column.name}") for column in PICTURE_COLUMNS), *seen_addresses.c]
        joined = seen_addresses.join(seen_pictures, seen_addresses.c.picture_id == seen_pictures.c.id)
        recent = seen_addresses.c.last_seen_at >= since if since is not None else true()
        query = select(*columns).select_from(joined).where(recent)
        for chunk in in_chunks(sorted(digests)):
            some = query.where(seen_pictures.c.sha256.in_(chunk))
            for row in self._connection.execute(some.order_by(seen_pictures.c.number, seen_addresses.c.id)):
                picture = SeenPicture(
                    **{column.name: getattr(row, f"picture_{column.name}") for column in PICTURE_COLUMNS}
                )
                yield picture, _address(row)

    def numbers_above(self, number: int, limit: int, first_seen_since: datetime) -> list[int]:
        """Return the numbers above one of pictures first met at this time or later, lowest first, at most `limit`."""
        is_wanted = (seen_pictures.c.number > number) & (seen_pictures.c.first_seen_at >= first_seen_since)
        query = select(seen_pictures.c.number).where(is_wanted)
        return list(self._connection.execute(query.order_by(seen_pictures.c.number).limit(limit)).scalars())

    def heads(self) -> set[int]:
        """Return the numbers of all remembered pictures that no near-identical one stands for."""
        query = select(seen_pictures.c.number).where(seen_pictures.c.same_as.is_(None))
        return set(self._connection.execute(query).scalars())


_HEAD = seen_pictures.alias("head")


def _picture(row: Row[Any]) -> SeenPicture:
    return SeenPicture(**{column.name: getattr(row, column.name) for column in PICTURE_COLUMNS})


def _address(row: Row[Any]) -> SeenAddress:
    return SeenAddress(
        id=row.id,
        picture_id=row.picture_id,
        image_url=row.image_url,
        page_url=row.page_url,
        host=row.host,
        source=row.source,
        context=row.context,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )
