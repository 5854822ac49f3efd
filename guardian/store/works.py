"""Works: which assets are one work, and what a person said about that. A work has no row: it is its assets."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, ScalarSelect, bindparam, delete, insert, select, update

from guardian.model import Asset, AssetState, Parted, Work
from guardian.store.assets import asset_of
from guardian.store.chunks import in_chunks
from guardian.store.ids import new_id
from guardian.store.inserting import insert_into
from guardian.store.tables import assets, parted_assets, work_aliases


class Works:
    """The works that the assets make, the ids that lead to them, and the assets that a person has parted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, id_: str) -> Work | None:
        """Return the work of this id, or the one that it was joined to; None when there is none."""
        alias = select(work_aliases.c.work_id).where(work_aliases.c.id == id_).scalar_subquery()
        found = self._read(assets.c.work_id.in_([id_, alias]))
        return found[0] if found else None

    def of_asset(self, asset_id: str) -> Work | None:
        """Return the work that an asset belongs to; None when there is no such asset."""
        found = self._read(assets.c.work_id == work_of(asset_id))
        return found[0] if found else None

    def of_assets(self, asset_ids: Iterable[str]) -> dict[str, Work]:
        """Return the works that some assets belong to, by the ids of these assets, those that exist."""
        found: dict[str, Work] = {}
        for part in in_chunks(asset_ids):
            works = select(assets.c.work_id).where(assets.c.id.in_(part))
            by_asset = {asset.id: work for work in self._read(assets.c.work_id.in_(works)) for asset in work.assets}
            found |= {id_: by_asset[id_] for id_ in part if id_ in by_asset}
        return found

    def asset_ids_with(self, asset_id: str) -> frozenset[str]:
        """Return the ids of all assets of the work that an asset belongs to, its own among them."""
        work = self.of_asset(asset_id)
        return frozenset({asset_id, *(asset.id for asset in (work.assets if work is not None else ()))})

    def starting_with(self, prefix: str) -> list[Work]:
        """Return the works whose id, or an id that was joined to theirs, begins with `prefix`."""
        # autoescape: % and _ in what a person typed are characters, not wildcards.
        earlier = select(work_aliases.c.work_id).where(work_aliases.c.id.startswith(prefix, autoescape=True))
        return self._read(assets.c.work_id.startswith(prefix, autoescape=True) | assets.c.work_id.in_(earlier))

    def all(self) -> list[Work]:
        """Return all works, in the order in which their first assets were added."""
        return self._read()

    def hold(self, asset_ids: Iterable[str]) -> None:
        """Keep assets in their works until the transaction ends: nobody joins or splits these meanwhile."""
        # In one order everywhere, so that two such transactions never wait for each other.
        for asset_id in sorted(asset_ids):
            self._connection.execute(select(assets.c.id).where(assets.c.id == asset_id).with_for_update(read=True))

    def move(self, asset_ids: Iterable[str], work_id: str | None = None) -> str:
        """Make assets part of a work; return its id. None makes a new work of them."""
        to = work_id or new_id("work")
        # In one order everywhere, so that two such transactions never wait for each other.
        for asset_id in sorted(asset_ids):
            self._connection.execute(update(assets).where(assets.c.id == asset_id).values(work_id=to))
        return to

    def lead_on(self, gone: str, kept: str) -> None:
        """Let the id of a work that has no assets any more lead to another work."""
        self._connection.execute(update(work_aliases).where(work_aliases.c.work_id == gone).values(work_id=kept))
        self._connection.execute(insert(work_aliases).values(id=gone, work_id=kept))

    def part(self, one: Iterable[str], other: Iterable[str], *, at: datetime, by: str, note: str | None) -> None:
        """Remember that a person said of the assets of two groups that they are different works."""
        pairs = [sorted((mine, theirs)) for mine in one for theirs in other]
        for first, second in pairs:
            values = {"asset_id": first, "other_id": second, "at": at, "by": by, "note": note}
            statement = insert_into(self._connection, parted_assets).values(**values)
            self._connection.execute(statement.on_conflict_do_nothing())

    def reunite(self, asset_ids: Iterable[str]) -> None:
        """Forget what parted these assets from each other: a person says that they are one work."""
        ids = list(asset_ids)
        both = parted_assets.c.asset_id.in_(ids) & parted_assets.c.other_id.in_(ids)
        self._connection.execute(delete(parted_assets).where(both))

    def parted_from(self, asset_id: str) -> list[Parted]:
        """Return what a person has parted an asset from, oldest first."""
        either = (parted_assets.c.asset_id == asset_id) | (parted_assets.c.other_id == asset_id)
        query = select(parted_assets).where(either).order_by(parted_assets.c.at, parted_assets.c.asset_id)
        return [Parted(**row._mapping) for row in self._connection.execute(query)]

    def unsought(self, rule: int) -> list[Asset]:
        """Return the protected assets whose work was not looked for by this version of the rule, oldest first.

        Those of which only the bytes are known are compared with nothing and left out.
        """
        is_due = assets.c.work_rule.is_(None) | (assets.c.work_rule < rule)
        is_compared = (assets.c.state == AssetState.PROTECTED, ~assets.c.by_bytes_only)
        query = select(assets).where(is_due, *is_compared).order_by(assets.c.number)
        return [asset_of(row) for row in self._connection.execute(query)]

    def sought(self, rule: int) -> list[str]:
        """Return the ids of all assets but withdrawn ones whose work was looked for by this version of the rule."""
        is_done = (assets.c.work_rule >= rule) & (assets.c.state != AssetState.WITHDRAWN)
        return list(self._connection.execute(select(assets.c.id).where(is_done)).scalars())

    def note_sought(self, asset_ids: Iterable[str], rule: int) -> None:
        """Note that the works of assets were looked for by this version of the rule."""
        statement = update(assets).where(assets.c.id == bindparam("row")).values(work_rule=rule)
        self._connection.execute(statement, [{"row": asset_id} for asset_id in asset_ids])

    def _read(self, *conditions: ColumnElement[bool]) -> list[Work]:
        rows = self._connection.execute(select(assets).where(*conditions).order_by(assets.c.number))
        members: dict[str, list[Asset]] = {}
        for row in rows:
            members.setdefault(row.work_id, []).append(asset_of(row))
        return [Work(id_, tuple(those)) for id_, those in members.items()]


def work_of(asset_id: str) -> ScalarSelect[str]:
    """Return the SQL expression of the id of the work that an asset belongs to."""
    return select(assets.c.work_id).where(assets.c.id == asset_id).scalar_subquery()
