"""The labels of remembered pictures, and which are still to be labelled. Those of assets: asset_labels.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, literal, or_, select, update

from guardian.model import LabelSource, PictureLabel
from guardian.store.chunks import in_chunks
from guardian.store.inserting import insert_into
from guardian.store.memory_turn import take_turn
from guardian.store.search_tables import seen_labels, unlabelled_pictures, upkeep
from guardian.store.seen_tables import seen_pictures
from guardian.store.upkeep import Upkeep

_VOCABULARY = "label_vocabulary"
_FIRST_HAND = (LabelSource.WORDS, LabelSource.MEANING)


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A remembered picture that is to be labelled."""

    id: str
    number: int


class Labels:
    """The labels table: the terms that each remembered picture carries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._upkeep = Upkeep(connection)

    # What is to be labelled.

    def vocabulary(self) -> str | None:
        """Return the vocabulary whose terms pictures are given as they come in; None when there is none."""
        return self._upkeep.value(_VOCABULARY)

    def follow_vocabulary(self, vocabulary: str) -> None:
        """Have pictures that come in labelled by a vocabulary from now on."""
        self._upkeep.note(_VOCABULARY, vocabulary)

    def mark(self, ids: Collection[str]) -> None:
        """Have pictures labelled anew, or those that stand for them, if a vocabulary is followed."""
        take_turn(self._connection)
        followed = select(upkeep.c.name).where(upkeep.c.name == _VOCABULARY).exists()
        for part in in_chunks(sorted(set(ids))):
            head = func.coalesce(seen_pictures.c.same_as, seen_pictures.c.id)
            self._mark(select(head, literal(value=False)).distinct().where(seen_pictures.c.id.in_(part), followed))

    def mark_above(self, number: int, limit: int) -> int | None:
        """Have the next pictures above a number labelled anew; return the last one's number, None without any."""
        take_turn(self._connection)
        heads = select(seen_pictures.c.id, seen_pictures.c.number).where(
            seen_pictures.c.number > number, seen_pictures.c.same_as.is_(None)
        )
        part = heads.order_by(seen_pictures.c.number).limit(limit).subquery()
        last = self._connection.execute(select(func.max(part.c.number))).scalar()
        if last is not None:
            self._mark(select(part.c.id, literal(value=False)).where(part.c.id.is_not(None)))
        return last

    def _mark(self, pictures: Select[Any, bool]) -> None:
        marking = insert_into(self._connection, unlabelled_pictures).from_select(["picture_id", "has_words"], pictures)
        again = marking.on_conflict_do_update(index_elements=["picture_id"], set_={"has_words": False})
        self._connection.execute(again)

    def unlabelled(self, limit: int, *, has_words: bool) -> list[Unlabelled]:
        """Return pictures, at most `limit`, that are to be labelled: by their words, or, `has_words`, by their looks.

        The latter only if their looks can be searched by now.
        """
        query = select(seen_pictures.c.id, seen_pictures.c.number).join(
            unlabelled_pictures, unlabelled_pictures.c.picture_id == seen_pictures.c.id
        )
        query = query.where(unlabelled_pictures.c.has_words == has_words)
        if has_words:
            query = query.where(seen_pictures.c.pending.is_(None))
        return [Unlabelled(row.id, row.number) for row in self._connection.execute(query.limit(limit))]

    def among_those_with_words(self, ids: Collection[str]) -> set[str]:
        """Return which of some pictures are still to be labelled by their looks, and not by their words again."""
        found: set[str] = set()
        for part in in_chunks(ids):
            is_it = (unlabelled_pictures.c.picture_id.in_(part), unlabelled_pictures.c.has_words)
            found.update(self._connection.execute(select(unlabelled_pictures.c.picture_id).where(*is_it)).scalars())
        return found

    def count_unlabelled(self) -> int:
        """Return how many pictures are still to be labelled."""
        return self._connection.execute(select(func.count()).select_from(unlabelled_pictures)).scalar_one()

    def note_words(self, ids: Collection[str], *, is_all: bool) -> None:
        """Note that what the words of pictures say is kept, and, `is_all`, that nothing more is to be asked."""
        take_turn(self._connection)
        for part in in_chunks(ids):
            is_it = unlabelled_pictures.c.picture_id.in_(part)
            if is_all:
                self._connection.execute(delete(unlabelled_pictures).where(is_it))
            else:
                self._connection.execute(update(unlabelled_pictures).where(is_it).values(has_words=True))

    # Labels.

    def replace(self, labels: Mapping[str, Sequence[PictureLabel]]) -> None:
        """Keep the labels of pictures, by their ids, in place of those before."""
        take_turn(self._connection)
        for part in in_chunks(sorted(labels)):
            self._connection.execute(delete(seen_labels).where(seen_labels.c.picture_id.in_(part)))
            rows = [
                {"picture_id": id_, "term": label.term, "source": label.source, "share": label.share}
                for id_ in part
                for label in labels[id_]
            ]
            if rows:
                self._connection.execute(insert(seen_labels), rows)

    def drop_terms(self, kept: Collection[str]) -> None:
        """Take off all pictures the terms that are not among these."""
        take_turn(self._connection)
        known = self._connection.execute(select(seen_labels.c.term).distinct()).scalars()
        for part in in_chunks([term for term in known if term not in kept]):
            self._connection.execute(delete(seen_labels).where(seen_labels.c.term.in_(part)))

    def forget_words(self, ids: Collection[str]) -> None:
        """Take off these pictures, and those that stand for them, the labels that words around them gave.

        The words of places that are left give theirs again, if a vocabulary is followed.
        """
        take_turn(self._connection)
        for part in in_chunks(sorted(set(ids))):
            heads = select(seen_pictures.c.same_as).where(
                seen_pictures.c.id.in_(part), seen_pictures.c.same_as.is_not(None)
            )
            is_it = or_(seen_labels.c.picture_id.in_(part), seen_labels.c.picture_id.in_(heads))
            self._connection.execute(delete(seen_labels).where(is_it, seen_labels.c.source == LabelSource.WORDS))
        self.mark(ids)

    def of(self, ids: Collection[str]) -> dict[str, tuple[PictureLabel, ...]]:
        """Return the labels of remembered pictures by their ids, in the order of their terms."""
        found: dict[str, tuple[PictureLabel, ...]] = dict.fromkeys(ids, ())
        for part in in_chunks(sorted(found)):
            query = select(seen_labels).where(seen_labels.c.picture_id.in_(part))
            for row in self._connection.execute(query.order_by(seen_labels.c.term)):
                found[row.picture_id] += (PictureLabel(row.term, row.source, row.share),)
        return found

    def numbers(self, term: str) -> set[int]:
        """Return the numbers of the remembered pictures that carry a term."""
        joined = seen_labels.join(seen_pictures, seen_pictures.c.id == seen_labels.c.picture_id)
        query = select(seen_pictures.c.number).select_from(joined).where(seen_labels.c.term == term)
        return set(self._connection.execute(query).scalars())

    def first_hand_numbers(self) -> list[int]:
        """Return the numbers of remembered pictures that carry a term by words or meaning, and not by neighbours."""
        joined = seen_labels.join(seen_pictures, seen_pictures.c.id == seen_labels.c.picture_id)
        query = select(seen_pictures.c.number).distinct().select_from(joined)
        return list(self._connection.execute(query.where(seen_labels.c.source.in_(_FIRST_HAND))).scalars())

    def counts(self) -> dict[str, int]:
        """Return how many remembered pictures carry each term."""
        query = select(seen_labels.c.term, func.count()).group_by(seen_labels.c.term)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def counts_by_source(self) -> dict[tuple[str, LabelSource], int]:
        """Return how many remembered pictures carry each term, by how it came to them."""
        query = select(seen_labels.c.term, seen_labels.c.source, func.count())
        grouped = query.group_by(seen_labels.c.term, seen_labels.c.source)
        return {(row[0], row[1]): row[2] for row in self._connection.execute(grouped)}

    def count_labelled(self) -> int:
        """Return how many remembered pictures carry some term."""
        query = select(func.count(seen_labels.c.picture_id.distinct()))
        return self._connection.execute(query).scalar_one()
