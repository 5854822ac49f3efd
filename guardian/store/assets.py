"""The images that the owner protects."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.sql import ColumnElement

from guardian.model import (
    Asset,
    AssetFilter,
    AssetState,
    Description,
    Rights,
    SelfCheck,
)
from guardian.store.asset_filters import conditions
from guardian.store.chunks import in_chunks
from guardian.store.counters import Counters
from guardian.store.ids import new_id
from guardian.store.inserting import insert_into
from guardian.store.tables import assets
from guardian.store.words import Words


def asset_id(sha256: str) -> str:
    """Return the id of the asset with these bytes (hex SHA-256): the same file is the same asset everywhere."""
    return f"asset_{sha256[:16]}"


NUMBERS = "asset"
"""The name of the counter that asset numbers are taken from."""


class Assets:
    """The assets table. Rows are never deleted; one that was withdrawn can be reserved again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Taking a number locks its row until the commit, so numbers are committed in order: once asset 7 can be
        # read, no asset below 7 appears any more.
        self._counters = Counters(connection)
        self._words = Words(connection)

    def reserve(
        self,
        sha256: str,
        *,
        title: str,
        collection: str,
        path: str,
        size: tuple[int, int],
        at: datetime,
        tags: tuple[str, ...] = (),
        rights: Rights | None = None,
    ) -> Asset:
        """Write an asset that is being added, with a number of its own. `size`: its width and height in pixels.

        An asset with these bytes that is not withdrawn is returned as it is. A withdrawn one starts over
        with a new number, so that everything seen meanwhile is compared with it; it keeps its work.
        """
        known = self.by_sha256(sha256)
        if known is not None and known.state is not AssetState.WITHDRAWN:
            return known

        values = {
            "number": self._counters.next(NUMBERS),
            "state": AssetState.ADDING,
            "title": title,
            "collection": collection,
            "path": path,
            "width": size[0],
            "height": size[1],
            "tags": tags,
            "rights": rights or Rights(),
            "added_at": at,
            "withdrawn_at": None,
            "by_bytes_only": False,
            "self_check": None,
            # Its work is looked for anew: others may have been added meanwhile.
            "work_rule": None,
            "labelled_by": None,
        }
        # A work of its own, unless it had one before: what a person decided about that still counts.
        statement = insert_into(self._connection, assets).values(
            id=asset_id(sha256), sha256=sha256, work_id=new_id("work"), **values
        )
        self._connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
        asset = self._one(assets.c.sha256 == sha256)
        self._words.write_asset(asset)
        return asset

    def renumber(self, id_: str) -> Asset:
        """Give an asset that is still being added a new number; return it.

        Needed when an interrupted `asset add` is resumed after newer assets were published: pictures whose answers
        already cover all numbers up to theirs would otherwise never be compared with this one.
        """
        before = self._one(assets.c.id == id_)
        self._connection.execute(
            update(assets)
            .where(assets.c.id == id_, assets.c.state == AssetState.ADDING)
            .values(number=self._counters.next(NUMBERS))
        )
        asset = self._one(assets.c.id == id_)
        self._words.drop_asset(before.number)
        self._words.write_asset(asset)
        return asset

    def protect(self, numbers: Collection[int]) -> int:
        """Mark assets as protected once their index segment is published; return how many changed."""
        return self._set_state(numbers, AssetState.ADDING, AssetState.PROTECTED)

    def withdraw(self, id_: str, at: datetime) -> bool:
        """Take an asset out of all answers; return False when there is none, or it is withdrawn already."""
        changed = self._connection.execute(
            update(assets)
            .where(assets.c.id == id_, assets.c.state != AssetState.WITHDRAWN)
            .values(state=AssetState.WITHDRAWN, withdrawn_at=at)
            .returning(assets.c.number)
        )
        number = changed.scalar()
        if number is not None:
            self._words.drop_asset(number)
        return number is not None

    def note_perceptual_hash(self, number: int, perceptual_hash: str) -> None:
        """Keep the published hash of an asset, unless it has one."""
        is_it = (assets.c.number == number, assets.c.perceptual_hash.is_(None))
        self._connection.execute(update(assets).where(*is_it).values(perceptual_hash=perceptual_hash))

    def note_by_bytes_only(self, id_: str) -> None:
        """Keep that an asset is too plain to be compared, so that it is found by its bytes only."""
        self._connection.execute(update(assets).where(assets.c.id == id_).values(by_bytes_only=True))

    def note_self_check(self, id_: str, found: SelfCheck) -> None:
        """Keep what came of searching for copies of an asset."""
        self._connection.execute(update(assets).where(assets.c.id == id_).values(self_check=found))

    def move(self, id_: str, path: str) -> None:
        """Record that the owner's file has moved to another path."""
        self._connection.execute(update(assets).where(assets.c.id == id_).values(path=path, labelled_by=None))
        if (moved := self.get(id_)) is not None and moved.state is not AssetState.WITHDRAWN:
            self._words.write_asset(moved)

    def edit(self, asset: Asset) -> None:
        """Record title, collection, tags and rights of an asset as they are in this one."""
        values = {"title": asset.title, "collection": asset.collection, "tags": asset.tags, "rights": asset.rights}
        changed = update(assets).where(assets.c.id == asset.id).values(**values, labelled_by=None)
        self._connection.execute(changed)
        if asset.state is not AssetState.WITHDRAWN:
            self._words.write_asset(self._one(assets.c.id == asset.id))

    def describe(self, id_: str, description: Description) -> None:
        """Keep what the file of an asset says of its content."""
        described = update(assets).where(assets.c.id == id_).values(description=description, labelled_by=None)
        self._connection.execute(described)
        self._words.write_asset(self._one(assets.c.id == id_))

    def declare_siblings(self, ids: Collection[str], shoot: str | None) -> None:
        """Keep that assets are other pictures of one scene, under the id of the shoot; None: that they are not."""
        self._connection.execute(update(assets).where(assets.c.id.in_(ids)).values(shoot=shoot))

    def get(self, id_: str) -> Asset | None:
        """Return the asset of this id, whatever its state; None when there is none."""
        return self._first(assets.c.id == id_)

    def of_ids(self, ids: Collection[str]) -> dict[str, Asset]:
        """Return the assets of these ids, by id; ids of none are passed over."""
        found: dict[str, Asset] = {}
        for part in in_chunks(ids):
            for row in self._connection.execute(select(assets).where(assets.c.id.in_(part))):
                found[row.id] = asset_of(row)
        return found

    def of_numbers(self, numbers: Collection[int]) -> dict[int, Asset]:
        """Return the assets with these numbers, whatever their state, by number; numbers of none are passed over."""
        found: dict[int, Asset] = {}
        for part in in_chunks(sorted(numbers)):
            for row in self._connection.execute(select(assets).where(assets.c.number.in_(part))):
                found[row.number] = asset_of(row)
        return found

    def up_to(self, number: int, limit: int) -> list[Asset]:
        """Return at most `limit` assets, whatever their state, whose number is at most this; the newest first."""
        query = select(assets).where(assets.c.number <= number).order_by(assets.c.number.desc()).limit(limit)
        return [asset_of(row) for row in self._connection.execute(query)]

    def unprotected_numbers(self) -> set[int]:
        """Return the numbers of the assets that are being added, or were withdrawn."""
        query = select(assets.c.number).where(assets.c.state.in_([AssetState.ADDING, AssetState.WITHDRAWN]))
        return set(self._connection.execute(query).scalars())

    def by_sha256(self, sha256: str) -> Asset | None:
        """Return the asset with these bytes (hex SHA-256), whatever its state; None when there is none."""
        return self._first(assets.c.sha256 == sha256)

    def starting_with(self, prefix: str, limit: int | None = None) -> list[Asset]:
        """Return the assets, at most `limit`, whose id begins with `prefix`."""
        query = select(assets).where(assets.c.id.startswith(prefix, autoescape=True)).order_by(assets.c.id)
        return [asset_of(row) for row in self._connection.execute(query.limit(limit))]

    def page(
        self, wanted: AssetFilter, limit: int, *, after: int | None = None, newest_first: bool = False
    ) -> list[Asset]:
        """Return at most `limit` of the assets that a filter wants, in the order of their numbers or the other way.

        `after`: the number of the asset after which they come.
        """
        query = select(assets).where(*conditions(wanted)).limit(limit)
        query = query.order_by(assets.c.number.desc() if newest_first else assets.c.number)
        if after is not None:
            query = query.where(assets.c.number < after if newest_first else assets.c.number > after)
        return [asset_of(row) for row in self._connection.execute(query)]

    def count_matching(self, wanted: AssetFilter) -> int:
        """Return how many assets a filter wants."""
        query = select(func.count()).select_from(assets).where(*conditions(wanted))
        return self._connection.execute(query).scalar_one()

    def collections(self) -> list[str]:
        """Return the names of all collections, by name."""
        return sorted(self._connection.execute(select(assets.c.collection).distinct()).scalars())

    def list(self, collection: str | None = None, state: AssetState | None = None) -> list[Asset]:
        """Return assets in the order of their numbers."""
        query = select(assets).order_by(assets.c.number)
        if collection is not None:
            query = query.where(assets.c.collection == collection)
        if state is not None:
            query = query.where(assets.c.state == state)
        return [asset_of(row) for row in self._connection.execute(query)]

    def count(self, state: AssetState = AssetState.PROTECTED) -> int:
        """Return how many assets are in this state."""
        query = select(func.count()).select_from(assets).where(assets.c.state == state)
        return self._connection.execute(query).scalar_one()

    def _set_state(self, numbers: Collection[int], before: AssetState, after: AssetState) -> int:
        changed = 0
        for part in in_chunks(sorted(numbers)):
            result = self._connection.execute(
                update(assets)
                .where(assets.c.number.in_(part), assets.c.state == before)
                .values(state=after)
                .returning(assets.c.id)
            )
            changed += len(result.all())

        return changed

    def _first(self, condition: ColumnElement[bool]) -> Asset | None:
        row = self._connection.execute(select(assets).where(condition)).first()
        return None if row is None else asset_of(row)

    def _one(self, condition: ColumnElement[bool]) -> Asset:
        return asset_of(self._connection.execute(select(assets).where(condition)).one())


def asset_of(row: Row[tuple[object, ...]]) -> Asset:
    """Return the asset that a whole row of the table holds."""
    return Asset(
        id=row.id,
        number=row.number,
        title=row.title,
        collection=row.collection,
        path=row.path,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        added_at=row.added_at,
        tags=row.tags,
        rights=row.rights,
        state=row.state,
        perceptual_hash=row.perceptual_hash,
        by_bytes_only=row.by_bytes_only,
        self_check=row.self_check,
        work_id=row.work_id,
        labels=row.labels,
        shoot=row.shoot,
        description=row.description,
    )
