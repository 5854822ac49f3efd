"""Licences as rows. What they mean for one use is worked out in guardian.licences."""

import hashlib
from dataclasses import fields, replace
from datetime import datetime

from sqlalchemy import Connection, Row, delete, select, update

from guardian.errors import UsageError
from guardian.model import Licence
from guardian.store.ids import new_id
from guardian.store.inserting import insert_into
from guardian.store.tables import licences

_TERMS = ("host", "path", "asset_id", "collection", "tag", "valid_from", "valid_until", "territory")
"""What makes two licences the same one."""

_SAID = ("medium", "note", "proof_file", "proof_sha256")
"""What a licence says beside its terms."""


class Licences:
    """The licences table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def grant(self, terms: Licence, at: datetime) -> Licence:
        """Write a licence of these terms, whose id does not count, and return it.

        The same terms twice are one licence; proof, medium and note that are given again replace those that it has.
        Raises UsageError unless the terms name exactly one asset, collection or tag, and for dates in the wrong
        order.
        """
        terms = replace(terms, host=terms.host.lower(), path=terms.path.lower() if terms.path else None)
        _check(terms)
        same = select(licences).where(*(licences.c[name] == getattr(terms, name) for name in _TERMS))
        row = self._connection.execute(same).first()
        if row is not None:
            known = _licence(row)
            said = {name: getattr(terms, name) or getattr(known, name) for name in _SAID}
            licence = replace(known, **said)
            self._write(licence)
            return licence

        id_ = _id_of(terms)
        # A licence that was edited keeps its id, which digests what its terms were.
        licence = replace(terms, id=id_ if self.get(id_) is None else new_id("lic"))
        columns = {field.name: getattr(licence, field.name) for field in fields(Licence)}
        statement = insert_into(self._connection, licences).values(**columns, added_at=at)
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["id"]))
        return licence

    def edit(self, licence: Licence) -> None:
        """Write the terms of a licence anew. Raises as `add`."""
        _check(licence)
        self._write(licence)

    def _write(self, licence: Licence) -> None:
        columns = {field.name: getattr(licence, field.name) for field in fields(Licence) if field.name != "id"}
        self._connection.execute(update(licences).where(licences.c.id == licence.id).values(**columns))

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


def _check(terms: Licence) -> None:
    """Raise UsageError for terms that make no sense."""
    if sum(scope is not None for scope in (terms.asset_id, terms.collection, terms.tag)) != 1:
        raise UsageError("a licence covers either one asset, one collection or one tag")
    if terms.valid_from is not None and terms.valid_until is not None and terms.valid_until < terms.valid_from:
        raise UsageError(f"the licence would end ({terms.valid_until}) before it begins ({terms.valid_from})")


def _id_of(terms: Licence) -> str:
    """Return an id that digests the terms, so that adding the same again, from a script say, changes nothing."""
    parts = [terms.host, terms.asset_id, terms.collection, terms.valid_from, terms.valid_until, terms.territory]
    # Those that came later count only where they are set, or earlier licences would have other ids.
    parts += [part for part in (terms.path, terms.tag and f"tag:{terms.tag}") if part]
    return "lic_" + hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()[:12]


def _licence(row: Row[tuple[object, ...]]) -> Licence:
    return Licence(**{field.name: getattr(row, field.name) for field in fields(Licence)})
