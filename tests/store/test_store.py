"""Transactions, and plain words when the database cannot be used."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from guardian.errors import StoreUnusable, UsageError
from guardian.model import Asset, Skipped, SkipReason, TaskKind
from guardian.store import Store, StoreSettings, Transaction, open_store
from tests.databases import PostgresDatabases
from tests.granting import grant_licence

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def remember(store: Store, *digests: str, detail: str = "") -> None:
    with store.begin() as tx:
        for digest in digests:
            tx.candidates.remember(digest, "recipe", Skipped("", SkipReason.TOO_PLAIN, detail), NOON)


def knows(store: Store, digest: str) -> bool:
    with store.read() as tx:
        return tx.candidates.known(digest, "recipe") is not None


def test_a_block_that_raises_is_undone(store: Store) -> None:
    def fail() -> None:
        with store.begin() as tx:
            tx.candidates.remember("a", "recipe", Skipped("", SkipReason.TOO_PLAIN), NOON)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert not knows(store, "a")


def test_of_two_transactions_that_wait_for_each_other_both_are_done(postgres_databases: PostgresDatabases) -> None:
    both, begun = threading.Barrier(2, timeout=60), []

    def work(*digests: str) -> Callable[[Transaction], str]:
        def write(tx: Transaction) -> str:
            begun.append(digests)
            tx.candidates.remember(digests[0], "recipe", Skipped("", SkipReason.TOO_PLAIN), NOON)
            if begun.count(digests) == 1:
                both.wait()
            tx.candidates.remember(digests[1], "recipe", Skipped("", SkipReason.TOO_PLAIN), NOON)
            return digests[0]

        return write

    with postgres_databases.new() as url, ThreadPoolExecutor(2) as threads:
        store = Store(url)
        done = [threads.submit(store.run, work(*digests)) for digests in ("ab", "ba")]
        assert [one.result() for one in done] == ["a", "b"]
        assert len(begun) == 3, "one of them was ended by the database, and begun anew"
        assert knows(store, "a")

        def fail(_: Transaction) -> None:
            begun.append(())
            raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            store.run(fail)
        assert begun.count(()) == 1, "another error is no reason to begin anew"
        store.close()


def test_a_transaction_that_is_ended_each_time_says_what_to_do(postgres_databases: PostgresDatabases) -> None:
    begun = []

    def write(tx: Transaction) -> None:
        begun.append(tx)
        tx.candidates.remember("a", "recipe", Skipped("", SkipReason.TOO_PLAIN), NOON)

    with postgres_databases.new() as url:
        store = Store(url)
        server = create_engine(url)
        with server.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER lose BEFORE INSERT ON candidates FOR EACH ROW EXECUTE FUNCTION lose()"
            )
        server.dispose()
        with pytest.raises(StoreUnusable, match=r"4 times.*nothing was changed.*deadlock detected"):
            store.run(write)
        assert len(begun) == 4
        store.close()


def test_what_was_committed_is_there_after_reopening(store: Store, database: str) -> None:
    remember(store, "a")
    store.close()
    reopened = Store(database)
    assert knows(reopened, "a")
    reopened.close()


def test_reading_does_not_wait_for_a_writer_and_cannot_write(store: Store) -> None:
    remember(store, "before")
    with store.begin() as tx:
        tx.candidates.remember("during", "recipe", Skipped("", SkipReason.TOO_PLAIN), NOON)
        seen = {}

        def look() -> None:
            seen.update({digest: knows(store, digest) for digest in ("before", "during")})

        reader = threading.Thread(target=look)
        reader.start()
        reader.join(timeout=60)
    assert seen == {"before": True, "during": False}
    with pytest.raises(Exception, match=r"(?i)read.?only|cannot be written"), store.read() as tx:
        tx.candidates.remember("never", "recipe", Skipped("", SkipReason.TOO_PLAIN), NOON)
    assert knows(store, "during")
    remember(store, "writing still works on the same connection")


def test_rows_need_what_they_refer_to(store: Store, protect: Callable[[str], Asset]) -> None:
    protect("a")
    with pytest.raises(Exception, match=r"(?i)foreign key"), store.begin() as tx:
        grant_licence(tx, "shop.example", at=NOON, asset_id="asset_missing")


def test_sqlite_is_set_up_for_safety(tmp_path: Path) -> None:
    store = open_store(StoreSettings(), tmp_path / "new" / "data")
    pragmas = {}

    def look(connection: Any, *_: object) -> None:
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            pragmas[name] = connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    event.listen(Engine, "commit", look)
    with store.begin():
        pass
    event.remove(Engine, "commit", look)
    store.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    assert (tmp_path / "new" / "data" / "guardian.db").exists()


@pytest.fixture
def small_disk() -> Iterator[Callable[[], None]]:
    """Call it: from then on a new SQLite connection finds the disk full after 50 more pages. Undone at the end."""

    def fill(connection: sqlite3.Connection, _record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 50}")

    yield lambda: event.listen(Engine, "connect", fill)
    if event.contains(Engine, "connect", fill):
        event.remove(Engine, "connect", fill)


def test_full_disk_says_so_and_loses_nothing(tmp_path: Path, small_disk: Callable[[], None]) -> None:
    open_store(StoreSettings(), tmp_path).close()
    small_disk()
    store = open_store(StoreSettings(), tmp_path)
    remember(store, "before")
    with pytest.raises(StoreUnusable, match="no room left"):
        remember(store, *(f"candidate {number}" for number in range(100)), detail="x" * 5000)
    assert knows(store, "before")
    assert not knows(store, "candidate 0")
    remember(store, "after")
    assert knows(store, "after")
    store.close()


def test_a_damaged_page_says_how_to_restore(tmp_path: Path) -> None:
    store = open_store(StoreSettings(), tmp_path)
    body = b"x" * 3000
    with store.begin() as tx:
        for number in range(200):
            tx.tasks.add(TaskKind.DELIVER, f"{number}", body, due_at=NOON, at=NOON)
    assert store.problems() == []
    store.close()
    database = tmp_path / "guardian.db"
    content = bytearray(database.read_bytes())
    # Where the bodies lie, and not the schema before them: the database can still be opened.
    bodies = [page for page in range(len(content) // 4096) if body[:1000] in content[page * 4096 : (page + 1) * 4096]]
    for page in bodies[:30]:
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    database.write_bytes(content)
    damaged = open_store(StoreSettings(), tmp_path)
    assert damaged.problems() != []
    with pytest.raises(StoreUnusable, match=r"guardian\.db is damaged \(.+\)\. .*backup") as said, damaged.read() as tx:
        tx.tasks.list()
    assert "\n" not in str(said.value)
    assert "***" not in str(said.value)
    with pytest.raises(StoreUnusable, match="damaged"):
        damaged.backup(tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()
    damaged.close()


@pytest.mark.parametrize("content", [b"this is not a database" * 300, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_file_that_is_no_database_says_how_to_restore(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "guardian.db").write_bytes(content)
    with pytest.raises(StoreUnusable, match="damaged"):
        open_store(StoreSettings(), tmp_path)
    assert (tmp_path / "guardian.db").read_bytes() == content


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnusable, match="data folder"):
        open_store(StoreSettings(), tmp_path / "file" / "data")


def test_an_unreachable_server_says_so() -> None:
    with pytest.raises(StoreUnusable, match=r"PostgreSQL at 127\.0\.0\.1 cannot be used"):
        Store("postgresql://nobody@127.0.0.1:1/none")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "guardian.db", "sqlite://", "sqlite:///:memory:"])
def test_urls_that_make_no_sense(url: str) -> None:
    with pytest.raises(UsageError):
        Store(url)


def test_a_password_is_not_in_the_message() -> None:
    with pytest.raises(StoreUnusable) as caught:
        Store("postgresql://user:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_database_that_was_lost_is_not_begun_anew(tmp_path: Path, is_empty: bool) -> None:
    kept = tmp_path / "originals" / "ab" / "abcd"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"a picture")
    if is_empty:
        (tmp_path / "guardian.db").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreUnusable, match="Copy your latest backup"):
        open_store(StoreSettings(), tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
