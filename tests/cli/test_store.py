"""`guardian store` as a person runs it."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.evidence import Vault
from guardian.model import (
    Action,
    Comparison,
    Decision,
    Finding,
    FindingDigest,
    Importance,
    LicenceStatus,
    TaskKind,
)
from tests import forked
from tests.cli.home import Home
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def guardian(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.guardian("--config", folder / "config.yaml", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text("data_dir: data\n")
    store = store_in(tmp_path / "data")
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
    store = store_in(folder / "data")
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
    assert "backup" in checked.stderr
    assert "Traceback" not in checked.stderr
    failed = guardian(folder, "store", "backup", str(folder / "copy.db"))
    assert failed.returncode == 4
    assert not (folder / "copy.db").exists()


def test_prune_says_what_it_forgot_and_leaves_what_is_owed(folder: Path) -> None:
    store = store_in(folder / "data")
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
    store = store_in(folder / "data")
    with store.read() as tx:
        assert tx.tasks.due_count(NOON) == 100
    store.close()


def note_finding(home: Home, asset_id: str, image_sha256: str) -> None:
    store = store_in(home.folder / "data")
    with store.begin() as tx:
        tx.findings.upsert(
            Finding(
                id="find_1",
                asset_id=asset_id,
                case_id=None,
                source="web",
                page_url="https://thief.example/p",
                image_url="https://thief.example/i.jpg",
                first_seen_at=NOON,
                last_seen_at=NOON,
                licence=LicenceStatus.NONE,
                decision=Decision(Action.ALERT, "copies"),
                comparison=Comparison(0.99),
                candidate_sha256=image_sha256,
                image_sha256=image_sha256,
                page_sha256=None,
            )
        )
        tx.versions.note("find_1", FindingDigest(image_sha256, image_sha256, None, NOON, NOON, Importance.FIRST))
    store.close()


def test_lost_and_damaged_files_are_named_by_asset_path_and_finding(own: Home) -> None:
    astronaut, coffee = own.lines("asset", "list", "--json")
    evidence = Vault(own.folder / "data" / "evidence", 1 << 20)
    note_finding(own, coffee["id"], evidence.keep(b"a stolen picture"))
    sound = own.guardian("store", "check").stdout
    assert sound == "the database is sound\n2 originals and 1 file of evidence are whole\n"

    originals = Vault(own.folder / "data" / "originals", 1 << 30)
    originals.path_of(astronaut["sha256"]).unlink()
    whole = originals.path_of(coffee["sha256"]).read_bytes()
    originals.path_of(coffee["sha256"]).write_bytes(whole[:-1] + b"!")
    stolen = evidence.path_of(evidence.keep(b"a stolen picture"))
    stolen.write_bytes(b"another picture")

    told = own.guardian("store", "check", code=4).stdout
    assert f"missing      original of asset {astronaut['id']}" in told
    assert f"added from {astronaut['path']}; adding that file again restores it" in told
    assert f"damaged      original of asset {coffee['id']}" in told
    assert "damaged      evidence of finding find_1" in told
    lost = own.lines("store", "check", "--json", code=4)
    assert [(one["kind"], one["state"], one["asset"], one["finding"]) for one in lost] == [
        ("original", "missing", astronaut["id"], None),
        ("original", "damaged", coffee["id"], None),
        ("evidence", "damaged", None, "find_1"),
    ]
    assert lost[2]["file"] == str(stolen)
    (quick,) = own.lines("store", "check", "--quick", "--json", code=4)
    assert quick["asset"] == astronaut["id"], "only presence is asked"

    again = own.guardian("asset", "add", Path(coffee["path"]).parent, "--collection", "press").stdout
    assert "its original was lost or damaged, and is restored" in again
    assert originals.path_of(coffee["sha256"]).read_bytes() == whole
    (left,) = own.lines("store", "check", "--json", code=4)
    assert left["kind"] == "evidence"


def test_rebuilding_goes_on_without_lost_originals_and_names_them(own: Home) -> None:
    astronaut, coffee = own.lines("asset", "list", "--json")
    originals = Vault(own.folder / "data" / "originals", 1 << 30)
    path = originals.path_of(coffee["sha256"])
    path.write_bytes(path.read_bytes()[:-1])
    # Its own file is gone as well, so that it cannot be restored from there.
    store = store_in(own.folder / "data")
    with store.begin() as tx:
        tx.assets.move(coffee["id"], "/gone/coffee.png")
    store.close()

    told = own.guardian("index", "rebuild", code=4).stdout
    assert f"left out     {coffee['id']}  “coffee”  (/gone/coffee.png)" in told
    assert told.endswith("rebuilt: 1 assets; 1 are left out\n")
    (answer,) = own.lines("check", "--json", astronaut["path"], code=1)
    assert answer["partial"], "an answer that could not look everywhere says so"
    own.guardian("asset", "add", coffee["path"], "--collection", "press")
    assert own.guardian("index", "verify").stdout == "the index is sound: 2 assets\n"
