"""The assets that pictures are compared with: protected, and found by more than their bytes."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, false, func, or_, select

from guardian.model import AssetFilter, AssetState, Licence
from guardian.store.asset_filters import conditions, has_text
from guardian.store.assets import NUMBERS
from guardian.store.chunks import in_chunks
from guardian.store.counters import Counters
from guardian.store.tables import assets

_IS_COMPARED = (assets.c.state == AssetState.PROTECTED, ~assets.c.by_bytes_only)


class ComparedAssets:
    """The rows of the assets table whose pictures are in the index, by their numbers there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counters = Counters(connection)

    def latest_number(self) -> int:
        """Return the highest number; 0 when there are none."""
        query = select(func.max(assets.c.number)).where(*_IS_COMPARED)
        return self._connection.execute(query).scalar() or 0

    def latest_number_for_writing(self) -> int:
        """Return `latest_number`; no other transaction can protect or number an asset until this one ends."""
        self._counters.hold(NUMBERS)
        return self.latest_number()

    def count(self) -> int:
        """Return how many there are; the other protected assets are found by their bytes."""
        query = select(func.count()).select_from(assets).where(*_IS_COMPARED)
        return self._connection.execute(query).scalar_one()

    def matching(self, wanted: AssetFilter, licences: Sequence[Licence] | None = None) -> list[int]:
        """Return the numbers of those that a filter wants, in their order; of the state that it names, too.

        `licences`: only those that one of these covers; None lets all pass.
        """
        columns = (assets.c.number, assets.c.id, assets.c.collection, assets.c.tags, assets.c.labels)
        query = select(*columns).where(~assets.c.by_bytes_only, *conditions(wanted)).order_by(assets.c.number)
        if licences is not None:
            query = query.where(or_(false(), *(_covered_by(licence) for licence in licences)))
        if wanted.tag is None and wanted.label is None and licences is None:
            return list(self._connection.execute(query.with_only_columns(assets.c.number)).scalars())

        found = []
        # The query compares the text of lists, which may fit by chance: their members decide.
        for row in self._connection.execute(query):
            passes = wanted.tag is None or wanted.tag in row.tags
            passes = passes and (wanted.label is None or any(one.term == wanted.label for one in row.labels))
            if passes and (licences is None or any(_covers(licence, row) for licence in licences)):
                found.append(row.number)
        return found

    def among(self, numbers: Collection[int]) -> set[int]:
        """Return which of some numbers are theirs."""
        found: set[int] = set()
        for part in in_chunks(sorted(numbers)):
            query = select(assets.c.number).where(assets.c.number.in_(part), *_IS_COMPARED)
            found.update(self._connection.execute(query).scalars())
        return found


def _covered_by(licence: Licence) -> ColumnElement[bool]:
    """Return the condition that a licence may cover an asset."""
    if licence.asset_id is not None:
        return assets.c.id == licence.asset_id
    if licence.collection is not None:
        return assets.c.collection == licence.collection
    return has_text(assets.c.tags, licence.tag) if licence.tag is not None else false()


def _covers(licence: Licence, asset: Any) -> bool:
    return asset.id == licence.asset_id or asset.collection == licence.collection or licence.tag in asset.tags
