"""Migration 0031: cases that are there already are numbered, and the words that are kept of them are theirs still."""

from datetime import UTC, datetime

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from guardian.model import Action, CaseFilter
from guardian.store import Store
from guardian.store.connecting import connect
from guardian.store.counters import Counters
from guardian.views.word_tokens import TOKENS_VERSION

_AT = "2026-11-24 12:00:00.000000"

_ASSET = (
    "INSERT INTO assets (id, number, state, sha256, title, collection, path, width, height, added_at, rights, work_id, "
    "by_bytes_only, tags, labels) VALUES ('asset_a', 1, 'protected', :sha256, 'A picture', 'shop', '/a.jpg', 8, 6, "
    ":at, '{}', 'work_a', :no, '[]', '[]')"
)
_CASE = (
    "INSERT INTO cases (id, asset_id, work_id, operator, state, action, opened_at, updated_at, message_count, version, "
    "labels, commercial, rank, review_note) VALUES (:id, 'asset_a', 'work_a', :operator, 'open', 'alert', :at, :at, 0, "
    "0, '[]', '[]', 0, :note)"
)


def test_cases_are_numbered_and_found_by_the_words_that_were_kept(empty_database: str) -> None:
    engine = connect(empty_database)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "guardian.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0030")
        connection.execute(text(_ASSET), {"sha256": "a" * 64, "at": _AT, "no": False})
        for letter, note in (("b", None), ("a", "a pirate"), ("c", None)):
            values = {"id": f"case_{letter}", "operator": f"{letter}.example", "at": _AT, "note": note}
            connection.execute(text(_CASE), values)
        _keep_words(connection, {"case_a": "red dunes", "case_c": "blue boat"})
        connection.execute(text("INSERT INTO stale_case_words (case_id) VALUES ('case_b')"))
        Counters(connection).put("words_version", TOKENS_VERSION)
    engine.dispose()

    store = Store(empty_database)
    found = {words: _found(store, words) for words in ("red", "blue boat", "a.example", "pirate", "picture", "green")}
    assert found == {
        "red": ["case_a"],
        "blue boat": ["case_c"],
        "a.example": ["case_a"],
        "pirate": ["case_a"],
        "picture": ["case_a", "case_b", "case_c"],
        "green": [],
    }
    with store.begin() as tx:
        for operator in ("d.example", "e.example", "a.example"):
            tx.cases.insert("asset_a", operator, Action.ALERT, None, datetime(2026, 11, 25, tzinfo=UTC))
        # Its words go with a case.
        kept = tx.cases.get("case_b")
        assert kept is not None
        tx.cases.absorb(kept, "case_c")
    assert _found(store, "blue boat") == []
    store.close()

    engine = connect(empty_database)
    with engine.connect() as connection:
        numbers = connection.execute(text("SELECT number FROM cases")).scalars().all()
    engine.dispose()
    assert len(set(numbers)) == len(numbers) == 4
    assert 0 not in numbers


def _keep_words(connection: Connection, said: dict[str, str]) -> None:
    """Keep the words of cases as the store did before the migration."""
    for number, (case_id, words) in enumerate(said.items(), start=7):
        values = {"id": number, "case_id": case_id, "words": words}
        if connection.dialect.name == "postgresql":
            vector = (
                "INSERT INTO case_words (id, case_id, vector) VALUES (:id, :case_id, to_tsvector('simple', :words))"
            )
            connection.execute(text(vector), values)
            continue
        connection.execute(text("INSERT INTO case_words (id, case_id) VALUES (:id, :case_id)"), values)
        connection.execute(text("INSERT INTO case_words_fts (rowid, words) VALUES (:id, :words)"), values)


def _found(store: Store, words: str) -> list[str]:
    with store.read() as tx:
        return sorted(case.id for case in tx.cases.matching(CaseFilter(words=words)))
