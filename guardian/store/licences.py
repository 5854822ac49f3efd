"""Licences as rows. What they mean for one use is worked out in guardian.licences."""

import hashlib
from datetime import date, datetime

from sqlalchemy import Connection, Row, delete, select

from guardian.errors import UsageError
from guardian.model import Licence
from guardian.store.inserting import insert_into
from guardian.store.tables import licences


class Licences:
    """The licences table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        host: str,
        *,
        at: datetime,
        asset_id: str | None = None,
        collection: str | None = None,
        dates: tuple[date | None, date | None] = (None, None),
        territory: str | None = None,
        proof_file: str | None = None,
    ) -> Licence:
        """Write a licence for one asset or one collection, and return it; `dates` are its first and last day.

        The same terms twice are one licence. Raises UsageError unless exactly one of `asset_id` and
        `collection` is given, and for dates in the wrong order.
        """
        first, last = dates
        if (asset_id is None) == (collection is None):
            raise UsageError("a licence covers either one asset or one collection")
        if first is not None and last is not None and last < first:
            raise UsageError(f"the licence would end ({last}) before it begins ({first})")

        # The id digests the terms, so that adding the same licence again, from a script say, changes nothing.
        terms = "\n".join(str(part) for part in (host.lower(), asset_id, collection, first, last, territory))
        licence = Licence(
            id="lic_" + hashlib.sha256(terms.encode()).hexdigest()[:12],
            host=host.lower(),
            asset_id=asset_id,
            collection=collection,
            valid_from=first,
            valid_until=last,
            territory=territory,
            proof_file=proof_file,
        )
        statement = insert_into(self._connection, licences).values(
            id=licence.id,
            host=licence.host,
            asset_id=asset_id,
            collection=collection,
            valid_from=first,
            valid_until=last,
            territory=territory,
            proof_file=proof_file,
            added_at=at,
        )
        # The proof is not one of the terms, so adding them again may name another file.
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_={"proof_file": proof_file})
        )

        return licence

    def for_host(self, host: str) -> list[Licence]:
        """Return the licences that speak about a host, by host: its own (www or not) and those of the domains above.

        `host` is lower case and IDNA, as `guardian.urls.addresses.host_of` writes it.
        """
        labels = host.split(".")
        # A licence for www.shop.example is one for shop.example too: see host_is_under.
        domains = [f"www.{host}", *(".".join(labels[start:]) for start in range(len(labels)))]
        query = select(licences).where(licences.c.host.in_(domains)).order_by(licences.c.host, licences.c.id)
        return [_licence(row) for row in self._connection.execute(query)]

    def get(self, id_: str) -> Licence | None:
        """Return the licence of this id; None when there is none."""
        row = self._connection.execute(select(licences).where(licences.c.id == id_)).first()
        return None if row is None else _licence(row)

    def remove(self, id_: str) -> bool:
        """Delete a licence; return False when there is none of this id."""
        statement = delete(licences).where(licences.c.id == id_).returning(licences.c.id)
        return self._connection.execute(statement).first() is not None

    def list(self) -> list[Licence]:
        """Return all licences, by host."""
        query = select(licences).order_by(licences.c.host, licences.c.id)
        return [_licence(row) for row in self._connection.execute(query)]


def _licence(row: Row[tuple[object, ...]]) -> Licence:
    return Licence(
        id=row.id,
        host=row.host,
        asset_id=row.asset_id,
        collection=row.collection,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        territory=row.territory,
        proof_file=row.proof_file,
    )
