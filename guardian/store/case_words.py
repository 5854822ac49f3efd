"""The words of the findings of cases: a full-text index, kept in steps after the findings have changed.

Triggers of the database mark each case whose findings change, so that no writer can forget to. `CaseWords.keep` brings
marked cases up to date; until then a search reads the text of their findings itself and misses nothing.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from urllib.parse import unquote

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    func,
    literal_column,
    select,
    table,
    text,
)

from guardian.model import Context
from guardian.store.inserting import insert_into
from guardian.store.search_tables import case_words, stale_case_words
from guardian.store.tables import cases, findings
from guardian.views.word_tokens import Term, is_unspaced, terms, tokens

_WORDS_OF_A_ROW = 3_000
"""A case with more has several rows: a tsvector of PostgreSQL holds a megabyte, and a word has up to 256 bytes."""

_SHORTEST_BEGINNING = 2
"""Letters or digits from which on longer words that begin with them are found, too."""


class CaseWords:
    """The words of the findings of cases."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    def mark_all(self) -> None:
        """Have the words of all cases made anew."""
        every = select(cases.c.id).where(cases.c.id.is_not(None))
        marking = insert_into(self._connection, stale_case_words).from_select(["case_id"], every)
        self._connection.execute(marking.on_conflict_do_nothing())

    def are_all_kept(self) -> bool:
        """Return whether the words of all cases are kept as they now are."""
        return self._connection.execute(select(stale_case_words.c.case_id).limit(1)).first() is None

    def keep(self, limit: int) -> int:
        """Keep the words of at most `limit` cases whose findings have changed; return of how many."""
        marked = select(stale_case_words.c.case_id).limit(limit)
        if not self._is_sqlite:
            # Locked first and read afterwards: whoever changes a finding locks its case before it is marked. A case
            # that somebody works at is passed over, so that nobody ever waits here while others wait for this.
            marked = marked.join(cases, cases.c.id == stale_case_words.c.case_id).with_for_update(skip_locked=True)
        ids = list(self._connection.execute(marked).scalars())
        if not ids:
            return 0
        numbers = select(cases.c.number).where(cases.c.id.in_(ids))
        self._connection.execute(delete(case_words).where(case_words.c.case_number.in_(numbers)))
        of_cases = select(cases.c.number, findings.c.page_url, findings.c.image_url, findings.c.context)
        of_cases = of_cases.join(findings, findings.c.case_id == cases.c.id).where(cases.c.id.in_(ids))
        found = self._connection.execute(of_cases.order_by(cases.c.number))
        rows = [
            {"number": number, "words": part}
            for number, of_case in groupby(found, key=lambda row: row.number)
            for part in _parts(said for row in of_case for said in _texts(row.page_url, row.image_url, row.context))
        ]
        if rows:
            self._write(rows)
        self._connection.execute(delete(stale_case_words).where(stale_case_words.c.case_id.in_(ids)))
        return len(ids)

    def _write(self, rows: list[dict[str, object]]) -> None:
        if not self._is_sqlite:
            vector = text(
                "INSERT INTO case_words (case_number, vector) VALUES (:number, to_tsvector('simple', :words))"
            )
            self._connection.execute(vector, rows)
            return

        # SQLite has one writer at a time, so nobody else takes these numbers.
        last = self._connection.execute(select(func.coalesce(func.max(case_words.c.id), 0))).scalar_one()
        numbered = [{"id": id_, **row} for id_, row in enumerate(rows, last + 1)]
        self._connection.execute(text("INSERT INTO case_words (id, case_number) VALUES (:id, :number)"), numbered)
        self._connection.execute(text("INSERT INTO case_words_fts (rowid, words) VALUES (:id, :words)"), numbered)


def cases_saying(words: str, *, is_sqlite: bool) -> Select[tuple[int]] | None:
    """Return the query for the numbers of cases whose findings say this, of those whose words are kept.

    None for what has no words. The words must follow each other; the last one may go on.
    """
    unquoted = words.replace('"', " ")
    asked = terms(f'"{unquoted}"')
    if not asked:
        return None
    # Not joined: SQLite would read all cases to find the few that have changed.
    changed = select(cases.c.number).where(cases.c.id.in_(select(stale_case_words.c.case_id)))
    is_kept = case_words.c.case_number.not_in(changed)
    query = select(case_words.c.case_number)
    if is_sqlite:
        index = table("case_words_fts")
        matched: ColumnElement[bool] = literal_column("case_words_fts").op("MATCH", is_comparison=True)(_fts5(asked))
        joined = case_words.join(index, literal_column("case_words_fts.rowid") == case_words.c.id)
        return query.select_from(joined).where(matched, is_kept)
    matching = func.to_tsquery(literal_column("'simple'"), _tsquery(asked))
    matched = literal_column("case_words.vector").op("@@", is_comparison=True)(matching)
    return query.where(matched, is_kept)


def _texts(page_url: str, image_url: str, context: Context) -> Iterator[str]:
    """Yield what a finding says. The words of an address are found as it is written, and as people read it."""
    for address in (page_url, image_url):
        yield address
        yield unquote(address)
    for said in (
        context.page_title,
        context.alt,
        context.title,
        context.caption,
        context.nearby_text,
        context.claims,
    ):
        if said:
            yield said


def _parts(texts: Iterable[str]) -> Iterator[str]:
    """Yield the words of texts, each text once, divided by blanks, in parts that a row holds."""
    part: list[str] = []
    for said in dict.fromkeys(texts):
        words = tokens(said)
        if part and len(part) + len(words) > _WORDS_OF_A_ROW:
            yield " ".join(part)
            part = []
        part += words
        while len(part) > _WORDS_OF_A_ROW:
            yield " ".join(part[:_WORDS_OF_A_ROW])
            part = part[_WORDS_OF_A_ROW:]
    if part:
        yield " ".join(part)


def _goes_on(term: Term) -> bool:
    """Return whether longer words than the last one count, too."""
    last = term.words[-1]
    return len(last) >= _SHORTEST_BEGINNING or is_unspaced(last)


def _fts5(asked: Iterable[Term]) -> str:
    """Return a query of FTS5. Words hold letters, marks and digits only."""
    return " AND ".join(f'"{" ".join(term.words)}"{" *" if _goes_on(term) else ""}' for term in asked)


def _tsquery(asked: Iterable[Term]) -> str:
    """Return a query of PostgreSQL's full-text search; see `_fts5`."""
    return " & ".join(
        "(" + " <-> ".join(f"'{word}'" for word in term.words) + (":*)" if _goes_on(term) else ")") for term in asked
    )
