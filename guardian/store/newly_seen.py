"""Writes the pictures that scans meet, and where."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from guardian.model import Context, NewlySeen
from guardian.store.counters import Counters
from guardian.store.fingerprints import NUMBERS
from guardian.store.ids import new_id
from guardian.store.inserting import insert_into
from guardian.store.labels import Labels
from guardian.store.memory_settings import MemorySettings
from guardian.store.memory_turn import take_turn
from guardian.store.seen import PICTURE_COLUMNS
from guardian.store.seen_tables import seen_addresses, seen_pictures
from guardian.store.words import Words
from guardian.urls.addresses import canonical_url, host_is_under, host_of, registrable_domain
from guardian.urls.keys import place_keys
from guardian.views.plain_text import cleaned

MOST_ADDRESSES = 50
"""Of one picture on one host: a logo stands on every page of its site, and says no more there than on fifty."""

_LONGEST_TEXT = 2_000


class NewlySeenPictures:
    """The tables of remembered pictures and their addresses, as scans write them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counters = Counters(connection)
        self._settings = MemorySettings(connection)
        self._words = Words(connection)
        self._labels = Labels(connection)

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
        row = self._connection.execute(select(*PICTURE_COLUMNS).where(seen_pictures.c.sha256 == met.sha256)).first()
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
