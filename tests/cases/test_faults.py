"""SIGKILL around the commit: before it nothing is there, after it everything is."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import guardian
from guardian.model import AssetState, TaskKind
from guardian.store import Store
from tests.databases import store_in

REPOSITORY = Path(guardian.__file__).parents[1]
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RECORDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from guardian.cases import RecordedUse, record
from guardian.model import Action, Audience, Comparison, Decision, Severity, Sighting, LicenceStatus
from guardian.store import StoreSettings, open_store

store = open_store(StoreSettings(), Path(sys.argv[1]))
noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
with store.begin() as tx:
    (asset,) = tx.assets.list()
    use = RecordedUse(
        Sighting("web", "https://thief.example/i.jpg", "https://thief.example/", noon),
        "c" * 64, asset, Comparison(0.99, description="x" * 200_000), LicenceStatus.NONE,
        Decision(Action.ALERT, "copies", Severity.HIGH), noon,
    )
    record(tx, use, Audience(("legal", "archive")))
    if sys.argv[2] == "before":
        print("waiting", flush=True)
        sys.stdin.readline()
print("waiting", flush=True)
sys.stdin.readline()
"""

# SQLite itself refuses to grow the file beyond what it has: the disk is full as far as it is concerned.
FULL = """
from sqlalchemy import Engine, event

@event.listens_for(Engine, "connect")
def fill(connection, record):
    connection.execute("PRAGMA max_page_count = 1")

"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    store = store_in(tmp_path)
    with store.begin() as tx:
        tx.assets.reserve("a" * 64, title="t", collection="c", path="/a.jpg", size=(8, 6), at=NOON)
    store.close()
    return tmp_path


def kill_recorder(data_dir: Path, moment: str) -> Store:
    """The store as it is found after the recorder was killed before or after its commit."""
    recorder = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(data_dir), moment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert recorder.stdout is not None
    said = iter(recorder.stdout.readline, "")
    assert any(line == "waiting\n" for line in said)
    recorder.send_signal(signal.SIGKILL)
    recorder.communicate()
    return store_in(data_dir)


def test_killed_before_the_commit_nothing_is_half_there(data_dir: Path) -> None:
    store = kill_recorder(data_dir, "before")
    with store.read() as tx:
        assert (tx.findings.list(), tx.cases.list(), tx.tasks.list()) == ([], [], [])
    assert store.problems() == []
    store.close()


def test_killed_after_the_commit_everything_is_there(data_dir: Path) -> None:
    store = kill_recorder(data_dir, "after")
    with store.read() as tx:
        (finding,) = tx.findings.list()
        (case,) = tx.cases.list()
        tasks = tx.tasks.list(TaskKind.DELIVER)
        (event,) = tx.case_history.of(case.id)
        message = tx.messages.get(event.message_id or "")
    store.close()
    assert (finding.case_id, case.finding_count) == (case.id, 1)
    assert {task.destination for task in tasks} == {"legal", "archive"}
    assert {task.message_id for task in tasks} == {event.message_id}
    assert message is not None
    assert json.loads(message.body)["data"]["case"]["id"] == case.id


def test_the_walk_done_again_after_a_kill_owes_the_same_messages(data_dir: Path) -> None:
    kill_recorder(data_dir, "before").close()
    once = kill_recorder(data_dir, "after")
    with once.read() as tx:
        keys = {(task.key, task.message_id) for task in tx.tasks.list(TaskKind.DELIVER)}
    once.close()
    twice = kill_recorder(data_dir, "after")
    with twice.read() as tx:
        assert {(task.key, task.message_id) for task in tx.tasks.list(TaskKind.DELIVER)} == keys
    twice.close()


def test_full_disk_leaves_no_half_of_a_finding(data_dir: Path) -> None:
    program = RECORDER.replace("store = open_store", FULL + "store = open_store", 1)
    recorder = subprocess.run(
        [sys.executable, "-c", program, str(data_dir), "after"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        input="",
    )
    assert "StoreUnusable: no room left" in recorder.stderr
    store = store_in(data_dir)
    with store.read() as tx:
        assert (tx.findings.list(), tx.cases.list(), tx.tasks.list()) == ([], [], [])
        assert tx.assets.count(AssetState.ADDING) == 1
    store.close()
