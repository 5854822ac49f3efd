"""Reading a database where nothing can be written: on a read-only disk, on a full one, beside one who writes."""

import gzip
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.errors import StoreUnusable
from guardian.model import Skipped, SkipReason
from guardian.store import Store, StoreSettings, open_store
from tests.disks import fill, read_only, small_disk
from tests.earlier.loading import HERE

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def remember(store: Store, *digests: str) -> None:
    with store.begin() as tx:
        for digest in digests:
            tx.candidates.remember(digest, "recipe", Skipped("", SkipReason.TOO_PLAIN), NOON)


def knows(store: Store, digest: str) -> bool:
    with store.read() as tx:
        return tx.candidates.known(digest, "recipe") is not None


def made(folder: Path) -> Path:
    """A data folder whose database knows "before"; closed, so that nothing stands beside the file."""
    store = open_store(StoreSettings(), folder)
    remember(store, "before")
    store.close()
    assert [path.name for path in folder.iterdir()] == ["guardian.db"]
    return folder


def test_a_read_only_disk_is_read_and_says_why_nothing_is_written(tmp_path: Path) -> None:
    with read_only(made(tmp_path / "data")):
        store = open_store(StoreSettings(), tmp_path / "data")
        assert knows(store, "before")
        assert store.problems() == []
        with pytest.raises(StoreUnusable, match=r"the folder .*/data (lies on a read-only disk|cannot be written)"):
            remember(store, "never")
        store.backup(tmp_path / "backup.db")
        store.close()

    store = open_store(StoreSettings(), tmp_path / "data")
    remember(store, "after")
    assert knows(store, "after")
    store.close()


def test_a_restored_backup_is_read_where_it_lies(tmp_path: Path) -> None:
    """A backup is in another journal mode than the database that guardian works on."""
    store = open_store(StoreSettings(), made(tmp_path / "data"))
    (tmp_path / "restored").mkdir()
    store.backup(tmp_path / "restored" / "guardian.db")
    store.close()
    with read_only(tmp_path / "restored"):
        store = open_store(StoreSettings(), tmp_path / "restored")
        assert knows(store, "before")
        store.close()


def test_a_folder_that_cannot_be_written_beside_one_who_writes(tmp_path: Path) -> None:
    """Another user's daemon runs: what it wrote last stands in the WAL, and is read."""
    data = made(tmp_path / "data")
    writing = open_store(StoreSettings(), data)
    remember(writing, "in the WAL")
    for path in data.iterdir():
        shutil.copy(path, tmp_path)
    writing.close()

    other = tmp_path / "other"
    other.mkdir()
    for name in ("guardian.db", "guardian.db-wal", "guardian.db-shm"):
        (tmp_path / name).rename(other / name)
    with read_only(other):
        store = open_store(StoreSettings(), other)
        assert knows(store, "in the WAL")
        with pytest.raises(StoreUnusable, match=r"read-only disk|cannot be written"):
            remember(store, "never")
        store.close()

    (other / "guardian.db-shm").unlink()
    with read_only(other), pytest.raises(StoreUnusable, match=r"changes wait in guardian\.db-wal"):
        open_store(StoreSettings(), other)


def test_a_full_disk_is_read(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, 2000):
        made(disk / "data")
        fill(disk)
        store = open_store(StoreSettings(), disk / "data")
        assert knows(store, "before")
        with pytest.raises(StoreUnusable, match=r"no room left to write .*guardian\.db|full disk"):
            remember(store, *(f"{number:>064}" for number in range(1000)))
        assert knows(store, "before")
        store.close()
        (disk / "filling").unlink()

        store = open_store(StoreSettings(), disk / "data")
        remember(store, "after")
        assert knows(store, "after")
        store.close()


def test_without_a_database_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with read_only(tmp_path / "data"), pytest.raises(StoreUnusable, match=r"read-only disk|cannot be written"):
        open_store(StoreSettings(), tmp_path / "data")


def earlier_database(folder: Path) -> bytes:
    """Put the database of an earlier version into a folder; return what identifies all that is in it."""
    folder.mkdir()
    with sqlite3.connect(folder / "guardian.db") as connection:
        connection.executescript(gzip.decompress((HERE / "sqlite_0002.sql.gz").read_bytes()).decode())
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return dump(folder)


def dump(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "guardian.db")
    lines = "\n".join(connection.iterdump()).encode()
    connection.close()
    return lines


def test_an_earlier_schema_that_cannot_be_migrated_is_named(tmp_path: Path) -> None:
    before = earlier_database(tmp_path / "data")
    with read_only(tmp_path / "data"), pytest.raises(StoreUnusable, match="earlier guardian and must be migrated"):
        open_store(StoreSettings(), tmp_path / "data")
    assert dump(tmp_path / "data") == before


MIGRATE = """
import resource, sys
from pathlib import Path
from guardian.errors import StoreUnusable
from guardian.store import StoreSettings, open_store
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    open_store(StoreSettings(), Path(sys.argv[1])).close()
except StoreUnusable as error:
    sys.exit(f"unusable: {error}")
"""


def test_a_disk_that_is_full_in_the_midst_of_a_migration_leaves_the_database_whole(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = earlier_database(data)
    size = (data / "guardian.db").stat().st_size
    for room in (0, size // 4, size // 2, size):
        run = [sys.executable, "-B", "-c", MIGRATE, str(data), str(room)]
        done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=ROOT)
        assert "Traceback" not in done.stderr
        if done.returncode == 0:
            break
        assert done.stderr.startswith(f"unusable: {data}/guardian.db was written by an earlier guardian and must be")
        assert dump(data) == before

    store = open_store(StoreSettings(), data)
    assert store.problems() == []
    store.close()
