"""`guardian store` as a person runs it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.model import TaskKind
from guardian.store import StoreSettings, open_store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def guardian(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guardian", "--config", str(folder / "config.yaml"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text("data_dir: data\n")
    store = open_store(StoreSettings(), tmp_path / "data")
    with store.begin() as tx:
        for number in range(100):
            tx.tasks.add(TaskKind.DELIVER, str(number), b"x" * 3000, due_at=NOON, at=NOON)
    store.close()
    return tmp_path


def test_backup_can_be_put_in_place_of_the_database(folder: Path) -> None:
    done = guardian(folder, "store", "backup", str(folder / "copy.db"))
    assert done.returncode == 0, done.stderr
    assert "backed up to" in done.stdout
    for path in (folder / "data").glob("guardian.db*"):
        path.unlink()
    (folder / "copy.db").rename(folder / "data" / "guardian.db")
    assert guardian(folder, "store", "check").stdout == "the database is sound\n"
    store = open_store(StoreSettings(), folder / "data")
    with store.read() as tx:
        assert len(tx.tasks.list()) == 100
    store.close()


def test_damage_is_said_with_exit_code_4_and_no_traceback(folder: Path) -> None:
    database = folder / "data" / "guardian.db"
    content = bytearray(database.read_bytes())
    for page in range(80, 100):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    database.write_bytes(content)
    checked = guardian(folder, "store", "check")
    assert checked.returncode == 4
    assert "restore a backup" in checked.stderr
    assert "Traceback" not in checked.stderr
    failed = guardian(folder, "store", "backup", str(folder / "copy.db"))
    assert failed.returncode == 4
    assert not (folder / "copy.db").exists()


def test_prune_says_what_it_forgot_and_leaves_what_is_owed(folder: Path) -> None:
    store = open_store(StoreSettings(), folder / "data")
    with store.begin() as tx:
        old = tx.tasks.add(TaskKind.DELIVER, "delivered long ago", b"{}", due_at=NOON, at=NOON)
        assert old is not None
        tx.tasks.done(old.id, datetime(2020, 1, 1, tzinfo=UTC))
    store.close()
    said = guardian(folder, "store", "prune")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == "forgotten: 1 deliveries, 0 scans, 0 responses, 0 candidates\n"
    again = guardian(folder, "store", "prune", "--json")
    assert json.loads(again.stdout) == {"deliveries": 0, "scans": 0, "responses": 0, "candidates": 0}
    store = open_store(StoreSettings(), folder / "data")
    with store.read() as tx:
        assert tx.tasks.due_count(NOON) == 100
    store.close()
