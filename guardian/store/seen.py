"""Pictures that scans have met, and where: what the memory asks SQL about. See fingerprints.py for what finds them."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select, true, update

from guardian.model import Context, MemoryCounts, NewlySeen, SeenAddress, SeenPicture
from guardian.store.chunks import in_chunks
from guardian.store.counters import Counters
from guardian.store.fingerprints import NUMBERS, coarse
from guardian.store.ids import new_id
from guardian.store.inserting import insert_into
from guardian.store.labels import Labels
from guardian.store.memory_settings import MemorySettings
from guardian.store.memory_turn import take_turn
from guardian.store.places import is_on
from guardian.store.seen_tables import seen_addresses, seen_pictures
from guardian.store.tables import candidates
from guardian.store.words import Words
from guardian.urls.addresses import canonical_url, host_is_under, host_of, registrable_domain
from guardian.urls.keys import place_keys
from guardian.views.plain_text import cleaned

MOST_ADDRESSES = 50
"""Of one picture on one host: a logo stands on every page of its site, and says no more there than on fifty."""

_LONGEST_TEXT = 2_000
_PICTURE = tuple(column for column in seen_pictures.c if column.name not in ("pending", "bytes"))


class Seen:
    """The tables of remembered pictures and their addresses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counters = Counters(connection)
        self._settings = MemorySettings(connection)
        self._words = Words(connection)
        self._labels = Labels(connection)

    # Writing what a scan meets.

    def remember(self, met: Sequence[NewlySeen], recipe: str, shard: str) -> None:
        """Write pictures that a scan has met, with their addresses; one that is known is brought up to date.

        Fingerprints are made by `recipe` and wait (`pending`) for the memory folder `shard`. A picture without one is
        written only if it is known already. Hosts that asked to be forgotten are left out.
        """
        take_turn(self._connection)
        refused = self._settings.refused_hosts()
        wanted = [one for one in met if not any(host_is_under(host, name) for name in refused for host in _hosts(one))]
        for one in sorted(wanted, key=lambda one: one.sha256):
            id_ = self._picture(one, recipe, shard)
            if id_ is not None:
                self._address(id_, one)

    def _picture(self, met: NewlySeen, recipe: str, shard: str) -> str | None:
        """Insert or update the row of a picture; return its id, None when it is not known and has no fingerprint."""
        row = self._connection.execute(select(*_PICTURE).where(seen_pictures.c.sha256 == met.sha256)).first()
        packed = met.described.fingerprint if met.described is not None else None
        made = {"recipe": recipe, "shard": shard, "pending": packed, "bytes": len(packed or b"")}
        if row is not None:
            changes: dict[str, Any] = {
                "last_seen_at": max(row.last_seen_at, met.seen_at),
                "first_seen_at": min(row.first_seen_at, met.seen_at),
            }
            if packed is not None and row.same_as is None and row.recipe != recipe:
                # A new number, so that the fingerprint that segments hold under the old one no longer counts.
                changes |= made | {"number": self._counters.next(NUMBERS)}
            self._connection.execute(update(seen_pictures).where(seen_pictures.c.id == row.id).values(**changes))
            return str(row.id)
        if met.described is None:
            return None

        statement = insert_into(self._connection, seen_pictures).values(
            id=new_id("seen"),
            number=self._counters.next(NUMBERS),
            sha256=met.sha256,
            width=met.width,
            height=met.height,
            format=met.described.format,
            perceptual_hash=met.perceptual_hash,
            first_seen_at=met.seen_at,
            last_seen_at=met.seen_at,
            **made,
        )
        # Another process may have met the same bytes meanwhile: then its row stays.
        kept = statement.on_conflict_do_update(
            index_elements=["sha256"], set_={"last_seen_at": statement.excluded.last_seen_at}
        )
        return str(self._connection.execute(kept.returning(seen_pictures.c.id)).scalar_one())

    def _address(self, picture_id: str, met: NewlySeen) -> None:
        """Insert or update the place where a picture was met; of many places on one host only the first are kept."""
        place, host, image_host = place_of(met.page_url, met.image_url, met.sha256), *_hosts(met)
        context = _bounded(met.context)
        statement = insert_into(self._connection, seen_addresses).values(
            picture_id=picture_id,
            place=place,
            image_url=_address_text(met.image_url),
            page_url=_address_text(met.page_url),
            host=host,
            image_host=image_host,
            domain=registrable_domain(host) if host else "",
            image_domain=registrable_domain(image_host) if image_host else "",
            source=met.source,
            context=context,
            words=words_of(context),
            first_seen_at=met.seen_at,
            last_seen_at=met.seen_at,
        )
        latest = {
            name: statement.excluded[name] for name in ("image_url", "page_url", "context", "words", "last_seen_at")
        }
        known = self._at(picture_id, place)
        if known is None and self._count_on(picture_id, host) >= MOST_ADDRESSES:
            return
        kept = statement.on_conflict_do_update(index_elements=["picture_id", "place"], set_=latest)
        id_ = self._connection.execute(kept.returning(seen_addresses.c.id)).scalar_one()
        if known is None or known.context != context or known.image_url != _address_text(met.image_url):
            self._words.write_places([(id_, context, met.image_url)])
            self._labels.mark([picture_id])

    def _at(self, picture_id: str, place: str) -> Row[Any, Any] | None:
        at_it = (seen_addresses.c.picture_id == picture_id, seen_addresses.c.place == place)
        return self._connection.execute(
            select(seen_addresses.c.context, seen_addresses.c.image_url).where(*at_it)
        ).first()

    def _count_on(self, picture_id: str, host: str) -> int:
        there = (seen_addresses.c.picture_id == picture_id, seen_addresses.c.host == host)
        return self._connection.execute(select(func.count()).select_from(seen_addresses).where(*there)).scalar_one()

    # Asking.

    def get(self, key: str) -> SeenPicture | None:
        """Return the picture with this id or SHA-256; None when it is not remembered."""
        by_either = or_(seen_pictures.c.id == key, seen_pictures.c.sha256 == key)
        row = self._connection.execute(select(*_PICTURE).where(by_either)).first()
        return None if row is None else _picture(row)

    def starting_with(self, prefix: str, limit: int) -> list[SeenPicture]:
        """Return the pictures, at most `limit`, whose id begins with `prefix`."""
        query = select(*_PICTURE).where(seen_pictures.c.id.startswith(prefix, autoescape=True))
        return [_picture(row) for row in self._connection.execute(query.order_by(seen_pictures.c.id).limit(limit))]

    def pictures(self, numbers: Collection[int]) -> dict[int, SeenPicture]:
        """Return remembered pictures by the numbers that the segments name them by; forgotten ones are left out."""
        found = {}
        for part in in_chunks(sorted(numbers)):
            rows = self._connection.execute(select(*_PICTURE).where(seen_pictures.c.number.in_(part)))
            found.update({row.number: _picture(row) for row in rows})
        return found

    def like(self, ids: Collection[str]) -> dict[str, list[SeenPicture]]:
        """Return the near-identical pictures that each of these pictures stands for."""
        found: dict[str, list[SeenPicture]] = {id_: [] for id_ in ids}
        for part in in_chunks(sorted(found)):
            query = select(*_PICTURE).where(seen_pictures.c.same_as.in_(part))
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
        columns = [*(column.label(f"picture_{column.name}") for column in _PICTURE), *seen_addresses.c]
        joined = seen_addresses.join(seen_pictures, seen_addresses.c.picture_id == seen_pictures.c.id)
        recent = seen_addresses.c.last_seen_at >= since if since is not None else true()
        query = select(*columns).select_from(joined).where(recent)
        for chunk in in_chunks(sorted(digests)):
            some = query.where(seen_pictures.c.sha256.in_(chunk))
            for row in self._connection.execute(some.order_by(seen_pictures.c.number, seen_addresses.c.id)):
                picture = SeenPicture(**{column.name: getattr(row, f"picture_{column.name}") for column in _PICTURE})
                yield picture, _address(row)

    def count_compared(self, recipe: str, since: datetime | None = None) -> tuple[int, int, int]:
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

    def counts(self, shard: str, recipe: str) -> MemoryCounts:
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

    def numbers_above(self, number: int, limit: int, first_seen_since: datetime) -> list[int]:
        """Return the numbers above one of pictures first met at this time or later, lowest first, at most `limit`."""
        is_wanted = (seen_pictures.c.number > number) & (seen_pictures.c.first_seen_at >= first_seen_since)
        query = select(seen_pictures.c.number).where(is_wanted)
        return list(self._connection.execute(query.order_by(seen_pictures.c.number).limit(limit)).scalars())

    def heads(self) -> set[int]:
        """Return the numbers of all remembered pictures that no near-identical one stands for."""
        query = select(seen_pictures.c.number).where(seen_pictures.c.same_as.is_(None))
        return set(self._connection.execute(query).scalars())

    def count_heads(self) -> int:
        """Return how many pictures are remembered that no near-identical one stands for."""
        query = select(func.count()).select_from(seen_pictures).where(seen_pictures.c.same_as.is_(None))
        return self._connection.execute(query).scalar_one()

    def count(self) -> int:
        """Return how many pictures are remembered, each near-identical one by itself."""
        return self._connection.execute(select(func.count()).select_from(seen_pictures)).scalar_one()


_HEAD = seen_pictures.alias("head")


def place_of(page_url: str | None, image_url: str | None, sha256: str) -> str:
    """Return what recognises a place: a digest of the keys of page and picture (see guardian/urls/keys.py)."""
    image = canonical_url(image_url) if image_url else f"urn:sha256:{sha256}"
    keys = place_keys(canonical_url(page_url) if page_url else image, image)
    return hashlib.sha256(f"{keys.page}\n{keys.picture}".encode()).hexdigest()[:32]


def words_of(context: Context) -> str:
    """Return all words of a context, one text a line, each once."""
    texts = (context.title, context.caption, context.alt, context.page_title, context.nearby_text, context.claims)
    return "\n".join(dict.fromkeys(text for text in texts if text))


def _hosts(met: NewlySeen) -> tuple[str, str]:
    """Return the host of the page (without one, of the image) and that of the image; "" for local files."""
    image_host = host_of(canonical_url(met.image_url)) if met.image_url else ""
    return (host_of(canonical_url(met.page_url)) if met.page_url else image_host), image_host


def _address_text(url: str | None) -> str | None:
    return canonical_url(url) if url else None


def _bounded(context: Context) -> Context:
    """Return the words around a picture made safe to store and bounded in length."""
    return context.with_each(lambda text: cleaned(text[:_LONGEST_TEXT]) or None)


def _picture(row: Row[Any]) -> SeenPicture:
    return SeenPicture(**{column.name: getattr(row, column.name) for column in _PICTURE})


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
