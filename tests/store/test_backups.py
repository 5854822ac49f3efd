"""A backup is whole, restorable, and taken while others write."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.errors import StoreUnusable, UsageError
from guardian.model import TaskKind
from guardian.store import Store
from tests.databases import store_in
from tests.disks import small_disk

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def write_pairs(store: Store, first: int, count: int) -> None:
    for number in range(first, first + count):
        with store.begin() as tx:
            tx.tasks.add(TaskKind.DELIVER, f"a{number}", b"x" * 2000, due_at=NOON, at=NOON)
            tx.tasks.add(TaskKind.DELIVER, f"b{number}", b"x" * 2000, due_at=NOON, at=NOON)


def test_backup_while_writing_holds_whole_transactions(tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    write_pairs(store, 0, 50)
    writer = threading.Thread(target=write_pairs, args=(store, 50, 100))
    writer.start()
    store.backup(tmp_path / "backup.db")
    writer.join()
    store.close()
    (tmp_path / "restored").mkdir()
    (tmp_path / "backup.db").rename(tmp_path / "restored" / "guardian.db")
    restored = store_in(tmp_path / "restored")
    with restored.read() as tx:
        keys = {task.key for task in tx.tasks.list()}
    assert len(keys) >= 100
    assert {key[1:] for key in keys if key[0] == "a"} == {key[1:] for key in keys if key[0] == "b"}
    assert restored.problems() == []
    restored.close()


def test_backup_replaces_an_older_one_and_is_one_file(tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    target = tmp_path / "backups"
    target.mkdir()
    (target / "guardian.db").write_bytes(b"older")
    store.backup(target / "guardian.db")
    store.close()
    assert [path.name for path in target.iterdir()] == ["guardian.db"]
    assert (target / "guardian.db").read_bytes().startswith(b"SQLite format 3")


def test_backup_to_nowhere_says_so(tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    with pytest.raises(StoreUnusable, match="cannot write the backup"):
        store.backup(tmp_path / "missing" / "guardian.db")
    store.close()


def test_a_backup_without_room_leaves_nothing_behind(tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    disk = tmp_path / "disk"
    disk.mkdir()
    for kilobytes in (100, 400):
        with small_disk(disk, kilobytes):
            with pytest.raises(StoreUnusable, match="cannot write the backup"):
                store.backup(disk / "guardian.db")
            assert list(disk.iterdir()) == []
    store.close()


def test_postgresql_is_backed_up_by_its_own_means(postgresql: str, tmp_path: Path) -> None:
    store = Store(postgresql)
    with pytest.raises(StoreUnusable, match="pg_dump"):
        store.backup(tmp_path / "guardian.db")
    store.close()


def test_a_backup_replaces_nothing_but_a_backup(tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    database = tmp_path / "data" / "guardian.db"
    (tmp_path / "link.db").symlink_to(database)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff a picture")
    before = database.stat().st_ino
    for target, words in [
        (database, "is the database itself"),
        (tmp_path / "data" / ".." / "data" / "guardian.db-wal", "is the database itself"),
        (tmp_path / "link.db", "is the database itself"),
        (tmp_path / "pipe", "is not a regular file"),
        (tmp_path, "is not a regular file"),
        (tmp_path / "photo.jpg", "is a file of another kind"),
        (Path(), "needs the name of a file"),
    ]:
        with pytest.raises(UsageError, match=words):
            store.backup(target)
    assert database.stat().st_ino == before
    assert (tmp_path / "photo.jpg").read_bytes() == b"\xff\xd8\xff a picture"
    (tmp_path / "empty.db").touch()
    store.backup(tmp_path / "empty.db")
    store.backup(tmp_path / "empty.db")
    store.close()
