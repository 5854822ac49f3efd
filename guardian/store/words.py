"""The words of assets and of places where pictures were seen: kept, searched, and made anew for a new version.

SQLite searches them by FTS5, PostgreSQL by a tsvector. Both are kept up by the database itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    table,
)

from guardian.model import Asset, Context
from guardian.store.chunks import in_chunks
from guardian.store.inserting import insert_into
from guardian.store.places import is_on
from guardian.store.search_tables import picture_words
from guardian.store.seen_tables import seen_addresses, seen_pictures
from guardian.views.word_tokens import Term, kept, terms

FIELDS = ("title", "tags", "caption", "page", "around")

MOST_RANKED = 2_500
"""Rows with the words asked for that are ranked, the newest; how many have a common word would bound the time."""

_WEIGHTS = (10.0, 8.0, 6.0, 3.0, 1.0)
"""How much a word counts in each field (bm25; Robertson and Zaragoza, 2009)."""

_K1, _B = 1.2, 0.75
"""Of bm25, as FTS5 has them: how little many mentions count more than one, and how much the length of a text does."""

_PLACES_OF_BEST = 800
_ENOUGH = 100
"""So many rows with the words themselves, and those with longer words, or some of the words, are not asked for."""
_INDEX = table("picture_words_fts")


@dataclass(frozen=True, slots=True)
class WordHit:
    """An asset or remembered picture, by its number, with words that were asked for. Larger scores are better."""

    number: int
    score: float


@dataclass(frozen=True, slots=True)
class WordHits:
    """Pictures with words that were asked for, best first. `is_all`: False when only the newest rows were ranked."""

    hits: tuple[WordHit, ...]
    is_all: bool = True


class _Joint(StrEnum):
    """Whether a row must have all terms that are asked for."""

    ALL = "all"
    SOME = "some"


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which rows are searched, and in which order. `needs_places`: the condition speaks of `seen_addresses`."""

    allowed: ColumnElement[bool]
    newest_first: ColumnElement[int]
    needs_places: bool = False


class Words:
    """The words of pictures, and what they find."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    # Keeping.

    def write_asset(self, asset: Asset) -> None:
        """Keep the words of an asset in place of those before."""
        self.write_assets([asset])

    def write_assets(self, several: Sequence[Asset]) -> None:
        """Keep the words of some assets in place of those before."""
        self._write([_row_of_asset(asset) for asset in several])

    def drop_asset(self, number: int) -> None:
        """Drop the words of an asset that is withdrawn, or has another number now."""
        self._connection.execute(delete(picture_words).where(picture_words.c.id == -number))

    def write_places(self, several: Sequence[tuple[int, Context, str | None]]) -> None:
        """Keep the words around pictures in place of those before; they go when a place is forgotten.

        Each is the id of the place, its context and the address of the picture.
        """
        self._write([_row_of_place(*one) for one in several])

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        statement = insert_into(self._connection, picture_words)
        latest = {name: statement.excluded[name] for name in FIELDS}
        kept_up = statement.on_conflict_do_update(index_elements=["id"], set_=latest)
        self._connection.execute(kept_up, list(rows))

    def erase_deleted(self) -> None:
        """Have the index hold nothing of what was deleted: until it is next merged, SQLite only marks it."""
        if self._is_sqlite:
            self._connection.exec_driver_sql("INSERT INTO picture_words_fts(picture_words_fts) VALUES ('optimize')")

    # Asking.

    def assets(self, question: str, limit: int, among: Collection[int] | None = None) -> WordHits:
        """Return protected assets with these words: those with all of them first, then those with some.

        `among` are the numbers of those that may be returned; None stands for all.
        """
        row = _row_id(self._is_sqlite)
        allowed = row < 0
        if among is not None:
            allowed &= _is_one_of(row, [-number for number in among], is_sqlite=self._is_sqlite)
        found, is_all = self._found(question, _Scope(allowed, row.asc()), limit)
        return WordHits(tuple(WordHit(-id_, score) for id_, score in found), is_all)

    def seen(self, question: str, limit: int, *, host: str | None = None, since: datetime | None = None) -> WordHits:
        """Return remembered pictures with these words around, by their best place, as `assets` does.

        Only places on `host` or below it, where the picture was last seen at or after `since`, count.
        """
        row = _row_id(self._is_sqlite)
        allowed = row > 0
        if host is not None:
            allowed &= is_on(seen_addresses, host)
        if since is not None:
            allowed &= seen_addresses.c.last_seen_at >= since
        scope = _Scope(allowed, row.desc(), needs_places=host is not None or since is not None)
        found, is_all = self._found(question, scope, _PLACES_OF_BEST)
        return WordHits(self._pictures_at(found, limit), is_all)

    def of_assets(self, numbers: Collection[int]) -> dict[int, list[str]]:
        """Return the words of assets as they are kept, a text for each field, by their numbers."""
        found = dict[int, list[str]]()
        for part in in_chunks([-number for number in numbers]):
            for row in self._connection.execute(select(picture_words).where(picture_words.c.id.in_(part))):
                found[-row.id] = [getattr(row, name) for name in FIELDS]
        return found

    def of_pictures(self, ids: Collection[str]) -> dict[str, list[str]]:
        """Return the words around pictures, and those that are nearly the same, as they are kept, by their ids.

        A text for each field of each place.
        """
        found = dict[str, list[str]]()
        head = func.coalesce(seen_pictures.c.same_as, seen_pictures.c.id).label("head")
        joined = picture_words.join(seen_addresses, seen_addresses.c.id == picture_words.c.address_id).join(
            seen_pictures, seen_pictures.c.id == seen_addresses.c.picture_id
        )
        for part in in_chunks(ids):
            is_one = seen_pictures.c.id.in_(part) | seen_pictures.c.same_as.in_(part)
            for row in self._connection.execute(select(head, picture_words).select_from(joined).where(is_one)):
                found.setdefault(row.head, []).extend(getattr(row, name) for name in FIELDS)
        return found

    def _found(self, question: str, scope: "_Scope", limit: int) -> tuple[list[tuple[int, float]], bool]:
        """Return ids and scores of the best rows: with all words, with all or longer ones, with some of either."""
        found: list[tuple[int, float]] = []
        is_all = True
        for asked, joint in _tiers(terms(question)):
            if len(found) >= min(limit, _ENOUGH):
                break
            more, more_is_all = self._ranked(asked, joint, scope, limit)
            # Whatever a later tier brings stands behind, with scores below.
            known = {id_ for id_, _ in found}
            least = min((score for _, score in found), default=0.0)
            best = max((score for _, score in more), default=0.0) if found else 0.0
            found += [(id_, least - (best - score)) for id_, score in more if id_ not in known][: limit - len(found)]
            is_all = is_all and more_is_all
        return found, is_all

    def _ranked(
        self, asked: Sequence[Term], joint: "_Joint", scope: "_Scope", limit: int
    ) -> tuple[list[tuple[int, float]], bool]:
        """Return ids and scores of the best rows, and whether all rows with the words were ranked."""
        if self._is_sqlite and len(asked) == 1 and asked[0].beginning is None:
            return self._ranked_by_one(asked[0], scope, limit)
        row = _row_id(self._is_sqlite)
        matched, score, source = self._search(asked, joint)
        if scope.needs_places:
            source = source.join(seen_addresses, seen_addresses.c.id == row)

        newest = select(row.label("id"), score.label("score")).select_from(source).where(matched, scope.allowed)
        ranked = newest.order_by(scope.newest_first).limit(MOST_RANKED + 1).subquery()
        best = select(ranked.c.id, ranked.c.score, func.count().over().label("of"))
        rows = self._connection.execute(best.order_by(ranked.c.score.desc(), ranked.c.id).limit(limit)).all()
        return [(one.id, float(one.score)) for one in rows], not rows or rows[0].of <= MOST_RANKED

    def _ranked_by_one(self, term: Term, scope: "_Scope", limit: int) -> tuple[list[tuple[int, float]], bool]:
        """Do what `_ranked` does for one word, or one phrase.

        Its score is that of bm25 without the rarity, which is the same for all rows. FTS5 finds the rarity by going
        through every row that has the word, or all words of the phrase, which takes most of the time where these are
        common.
        """
        row = _row_id(self._is_sqlite)
        matched, _, source = self._search([term], _Joint.ALL)
        if scope.needs_places:
            source = source.join(seen_addresses, seen_addresses.c.id == row)
        newest = select(row.label("id")).select_from(source).where(matched, scope.allowed)
        newest_ones = newest.order_by(scope.newest_first).limit(MOST_RANKED + 1).subquery()

        texts = select(picture_words.c.id, *(picture_words.c[name] for name in FIELDS))
        joined = texts.join(newest_ones, newest_ones.c.id == picture_words.c.id)
        rows = self._connection.execute(joined).all()
        scores = _scores_of_one(" ".join(term.words), [row[1:] for row in rows])
        best = sorted(zip((row.id for row in rows), scores, strict=True), key=lambda one: (-one[1], one[0]))
        return best[:limit], len(rows) <= MOST_RANKED

    def _search(
        self, asked: Sequence[Term], joint: "_Joint"
    ) -> tuple[ColumnElement[Any], ColumnElement[float], FromClause]:
        """Return the condition that a row has the words, its score, and what both are asked of."""
        if self._is_sqlite:
            index: ColumnElement[Any] = literal_column("picture_words_fts")
            matched = index.op("MATCH", is_comparison=True)(bindparam("asked", _fts5(asked, joint)))
            weights = ", ".join(str(weight) for weight in _WEIGHTS)
            score: ColumnElement[float] = literal_column(f"-bm25(picture_words_fts, {weights})")
            source: FromClause = _INDEX
        else:
            vector: ColumnElement[Any] = literal_column("vector")
            query = func.to_tsquery(literal_column("'simple'"), bindparam("asked", _tsquery(asked, joint)))
            matched = vector.op("@@", is_comparison=True)(query)
            score = func.ts_rank(literal_column("'{0.1, 0.3, 0.6, 1.0}'::float4[]"), vector, query)
            source = picture_words
        return matched, score, source

    def _pictures_at(self, found: Sequence[tuple[int, float]], limit: int) -> tuple[WordHit, ...]:
        """Return the first `limit` pictures at these places, each by the first of its places."""
        head = seen_pictures.alias("head")
        number = func.coalesce(head.c.number, seen_pictures.c.number).label("number")
        joined = seen_addresses.join(seen_pictures, seen_pictures.c.id == seen_addresses.c.picture_id)
        source = joined.outerjoin(head, head.c.id == seen_pictures.c.same_as)
        query = select(seen_addresses.c.id, number).select_from(source)

        best: dict[int, WordHit] = {}
        # Most pictures have one place: looking all of them up would take longer than finding their words.
        for chunk in in_chunks(found, 2 * limit):
            rows = self._connection.execute(query.where(seen_addresses.c.id.in_([id_ for id_, _ in chunk])))
            numbers = {row.id: row.number for row in rows}
            for id_, score in chunk:
                if id_ in numbers:
                    best.setdefault(numbers[id_], WordHit(numbers[id_], score))
            if len(best) >= limit:
                break
        return tuple(best.values())[:limit]


def file_name(address: str | None) -> str | None:
    """Return the name in an address or path, without its ending: often the only words there are."""
    if not address:
        return None
    name = PurePosixPath(unquote(urlsplit(address).path)).stem.replace("_", " ")
    return name or None


def _scores_of_one(said: str, texts: Sequence[Sequence[str]]) -> list[float]:
    """Return the scores of bm25, without its rarity, of rows that have these words one after the other.

    `texts` holds the words of each row by FIELDS.
    """
    phrase = f" {said} "
    lengths = [sum(map(len, fields)) for fields in texts]
    mean_length = sum(lengths) / max(1, len(lengths))

    scores = list[float]()
    for fields, length in zip(texts, lengths, strict=True):
        often = sum(
            weight * f" {text} ".count(phrase) for text, weight in zip(fields, _WEIGHTS, strict=True) if said in text
        )
        scores.append(often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * length / mean_length)))
    return scores


def _tiers(asked: Sequence[Term]) -> Iterator[tuple[Sequence[Term], _Joint]]:
    """Yield what is asked for one after the other, until enough is found."""
    if not asked:
        return
    themselves = [replace(term, is_exact=True) for term in asked]
    yield themselves, _Joint.ALL
    if list(asked) != themselves:
        yield asked, _Joint.ALL
    if len(asked) > 1:
        yield themselves, _Joint.SOME
        if list(asked) != themselves:
            yield asked, _Joint.SOME


def _row_of_asset(asset: Asset) -> dict[str, Any]:
    rights = asset.rights
    return {
        "id": -asset.number,
        "address_id": None,
        "title": kept([asset.title]),
        "tags": kept([*asset.tags, asset.collection, asset.description.keywords]),
        "caption": kept([asset.description.caption]),
        "page": "",
        "around": kept([rights.creator, rights.copyright_notice, rights.licensor, file_name(asset.path)]),
    }


def _row_of_place(address_id: int, context: Context, image_url: str | None) -> dict[str, Any]:
    return {
        "id": address_id,
        "address_id": address_id,
        "title": "",
        "tags": "",
        "caption": kept([context.alt, context.title, context.caption]),
        "page": kept([context.page_title]),
        "around": kept([context.nearby_text, context.claims, file_name(image_url)]),
    }


def _row_id(is_sqlite: bool) -> ColumnElement[int]:
    return literal_column("picture_words_fts.rowid" if is_sqlite else "picture_words.id")


def _is_one_of(column: ColumnElement[int], numbers: Sequence[int], *, is_sqlite: bool) -> ColumnElement[bool]:
    """Return the condition that a column is one of many numbers, as one parameter."""
    if is_sqlite:
        value: ColumnElement[int] = literal_column("value")
        listed = select(value).select_from(func.json_each(bindparam("numbers", str(list(numbers)))))
        return column.in_(listed)
    return column == func.any(bindparam("numbers", list(numbers)))


def _fts5(asked: Sequence[Term], joint: _Joint) -> str:
    """Return a query of FTS5. Words hold letters, marks and digits only, and each stands in quotes."""

    def one(term: Term) -> str:
        phrase = " ".join(term.words)
        if (beginning := term.beginning) is None:
            return f'"{phrase}"'
        if len(term.words) > 1 or beginning == term.words[-1]:
            return f'("{phrase}" OR "{phrase}" *)'
        return f'("{phrase}" OR "{beginning}" *)'

    return (" AND " if joint is _Joint.ALL else " OR ").join(one(term) for term in asked)


def _tsquery(asked: Sequence[Term], joint: _Joint) -> str:
    """Return a query of PostgreSQL's full-text search; see `_fts5`."""

    def one(term: Term) -> str:
        phrase = " <-> ".join(f"'{word}'" for word in term.words)
        if (beginning := term.beginning) is None:
            return f"({phrase})"
        if len(term.words) > 1:
            return f"({phrase}:*)"
        return f"({phrase} | '{beginning}':*)"

    return (" & " if joint is _Joint.ALL else " | ").join(one(term) for term in asked)
