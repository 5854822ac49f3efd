"""The labels of pictures that were seen. Those of assets are a column of their table."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, or_, select

from guardian.model import LabelSource, PictureLabel
from guardian.store.search_tables import seen_labels
from guardian.store.tables import seen_pictures

_AT_A_TIME = 500


class Labels:
    """The labels table: the terms that each remembered picture carries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def clear(self) -> None:
        """Take the labels off all remembered pictures."""
        self._connection.execute(delete(seen_labels))

    def put(self, labels: Mapping[int, Sequence[PictureLabel]]) -> None:
        """Add labels to pictures by their numbers; those that are forgotten meanwhile are passed over."""
        numbers = sorted(labels)
        for start in range(0, len(numbers), _AT_A_TIME):
            part = numbers[start : start + _AT_A_TIME]
            query = select(seen_pictures.c.number, seen_pictures.c.id).where(seen_pictures.c.number.in_(part))
            rows = [
                {"picture_id": row.id, "term": label.term, "source": label.source, "share": label.share}
                for row in self._connection.execute(query)
                for label in labels[row.number]
            ]
            if rows:
                self._connection.execute(insert(seen_labels), rows)

    def forget_words(self, ids: Collection[str]) -> None:
        """Take off these pictures, and those that stand for them, the labels that words around them gave."""
        listed = sorted(set(ids))
        for start in range(0, len(listed), _AT_A_TIME):
            part = listed[start : start + _AT_A_TIME]
            heads = select(seen_pictures.c.same_as).where(
                seen_pictures.c.id.in_(part), seen_pictures.c.same_as.is_not(None)
            )
            is_it = or_(seen_labels.c.picture_id.in_(part), seen_labels.c.picture_id.in_(heads))
            self._connection.execute(delete(seen_labels).where(is_it, seen_labels.c.source == LabelSource.WORDS))

    def of(self, ids: Collection[str]) -> dict[str, tuple[PictureLabel, ...]]:
        """Return the labels of remembered pictures by their ids, in the order of their terms."""
        found: dict[str, tuple[PictureLabel, ...]] = dict.fromkeys(ids, ())
        listed = sorted(found)
        for start in range(0, len(listed), _AT_A_TIME):
            query = select(seen_labels).where(seen_labels.c.picture_id.in_(listed[start : start + _AT_A_TIME]))
            for row in self._connection.execute(query.order_by(seen_labels.c.term)):
                found[row.picture_id] += (PictureLabel(row.term, row.source, row.share),)
        return found

    def numbers(self, term: str) -> set[int]:
        """Return the numbers of the remembered pictures that carry a term."""
        joined = seen_labels.join(seen_pictures, seen_pictures.c.id == seen_labels.c.picture_id)
        query = select(seen_pictures.c.number).select_from(joined).where(seen_labels.c.term == term)
        return set(self._connection.execute(query).scalars())

    def counts(self) -> dict[str, int]:
        """Return how many remembered pictures carry each term."""
        query = select(seen_labels.c.term, func.count()).group_by(seen_labels.c.term)
        return {row[0]: row[1] for row in self._connection.execute(query)}
