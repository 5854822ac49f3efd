"""The labels of assets, and which assets are still to be labelled. Those of remembered pictures: labels.py."""

import json

from sqlalchemy import ColumnElement, Connection, Text, cast, func, or_, select, update

from guardian.model import Asset, AssetState, LabelSource, PictureLabel
from guardian.store.assets import asset_of
from guardian.store.tables import assets


class AssetLabels:
    """The labels that each asset carries: columns of the assets table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, id_: str, labels: tuple[PictureLabel, ...], vocabulary: str | None = None) -> None:
        """Keep the labels of an asset in place of those before; `vocabulary`: that by which they were made."""
        kept = update(assets).where(assets.c.id == id_).values(labels=labels, labelled_by=vocabulary)
        self._connection.execute(kept)

    def assets_due(self, vocabulary: str, limit: int) -> list[Asset]:
        """Return protected assets, at most `limit`, whose labels were not made by this vocabulary."""
        query = select(assets).where(*_is_due(vocabulary)).order_by(assets.c.number).limit(limit)
        return [asset_of(row) for row in self._connection.execute(query)]

    def count_due(self, vocabulary: str) -> int:
        """Return how many protected assets have labels that were not made by this vocabulary."""
        query = select(func.count()).select_from(assets).where(*_is_due(vocabulary))
        return self._connection.execute(query).scalar_one()

    def mark_all(self) -> None:
        """Have the labels of all assets made anew."""
        self._connection.execute(update(assets).where(assets.c.labelled_by.is_not(None)).values(labelled_by=None))

    def first_hand_numbers(self) -> list[int]:
        """Return the numbers of protected assets that carry a label by words or meaning, and not by neighbours."""
        spelled = cast(assets.c.labels, Text)
        sources = [json.dumps({"source": source})[1:-1] for source in (LabelSource.WORDS, LabelSource.MEANING)]
        is_one = (assets.c.state == AssetState.PROTECTED, or_(*(spelled.contains(source) for source in sources)))
        return list(self._connection.execute(select(assets.c.number).where(*is_one)).scalars())

    def all(self) -> dict[int, tuple[PictureLabel, ...]]:
        """Return the labels of all protected assets that have some, by number."""
        has_some = (assets.c.state == AssetState.PROTECTED, cast(assets.c.labels, Text) != "[]")
        query = select(assets.c.number, assets.c.labels).where(*has_some)
        return {row.number: row.labels for row in self._connection.execute(query)}


def _is_due(vocabulary: str) -> tuple[ColumnElement[bool], ...]:
    # Two ranges and no inequality: these the index of the column answers.
    by = assets.c.labelled_by
    return assets.c.state == AssetState.PROTECTED, or_(by.is_(None), by < vocabulary, by > vocabulary)
