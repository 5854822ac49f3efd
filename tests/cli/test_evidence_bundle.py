"""From an alert to a bundle that verifies on another machine, with the real command."""

import json
import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.home import NO_CAPTURES, Home
from tests.evidence.authority import Authority


@pytest.fixture(scope="module")
def seen(protected: Home, tmp_path_factory: pytest.TempPathFactory, photographs: dict[str, Image.Image]) -> Home:
    """A home whose scan of a folder has found a copy. Tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("seen")
    shutil.copytree(protected.folder, folder / "home")
    (folder / "drop").mkdir()
    photographs["astronaut"].crop((0, 0, 420, 420)).save(folder / "drop" / "=copy.jpg", quality=80)
    with (folder / "home" / "config.yaml").open("a") as config:
        config.write(f"sources: [{{name: drop, kind: folder, path: '{folder / 'drop'}', every: 1h}}]\n")
    home = Home(folder / "home")
    home.guardian("scan", "drop", code=1)
    return home


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def home(seen: Home, tmp_path: Path) -> Home:
    shutil.copytree(seen.folder, tmp_path / "home")
    return Home(tmp_path / "home")


def case_of(home: Home) -> str:
    (case,) = home.lines("case", "list", "--json")
    return str(case["id"])


def stamped_by(home: Home, settings: str) -> None:
    config = home.folder / "config.yaml"
    config.write_text(config.read_text().replace(NO_CAPTURES, f"evidence: {{{settings}}}"))


def test_a_bundle_is_exported_and_verifies_elsewhere(home: Home, tmp_path: Path, authority: Authority) -> None:
    case = case_of(home)
    with authority.served() as url:
        stamped_by(home, f"timestamps: [{{url: '{url}', ca_file: '{authority.root}'}}]")
        (written,) = home.lines("evidence", "export", case[:9], "--out", tmp_path / "b.zip", "--json")
    assert written["timestamp"]

    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = archive.namelist()
        assert names[:7] == [
            "manifest.json",
            "manifest.sig",
            "manifest.pub",
            "manifest.tsr",
            "tsa-chain.pem",
            "VERIFY.txt",
            "SHA256SUMS",
        ]
        assert {"report.pdf", "case.json", "history.jsonl", "sightings.csv", "original/astronaut.png"} <= set(names)
        # The folders of this machine are nobody's business.
        assert json.loads(archive.read("case.json"))["asset"]["path"] == "astronaut.png"
        assert any(name.startswith("scans/picture-") and name.endswith(".jpg") for name in names)
        assert json.loads(archive.read("case.json"))["id"] == case
        assert archive.read("report.pdf").startswith(b"%PDF")

    # Another machine: no configuration, no data.
    elsewhere = Home(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    key = tmp_path / "key.pem"
    key.write_text(home.guardian("evidence", "key").stdout.partition("fingerprint")[0])
    said = elsewhere.guardian(
        "evidence", "verify", tmp_path / "b.zip", "--key", key, "--authority", authority.root
    ).stdout
    assert "whole" in said
    assert ", by the time-stamp authority CN=Clock of the test" in said
    assert "the one that you named" in said
    assert not list(elsewhere.folder.iterdir())

    audit = home.lines("audit", "list", "--subject", case, "--json")
    assert audit[-1]["action"] == "evidence.exported"
    assert audit[-1]["detail"]["sha256"] == written["sha256"]
    assert "whole" in home.guardian("audit", "verify").stdout

    content = bytearray((tmp_path / "b.zip").read_bytes())
    content[content.index(b'"operator"')] ^= 1
    (tmp_path / "b.zip").write_bytes(content)
    assert "DAMAGED: case.json" in elsewhere.guardian("evidence", "verify", tmp_path / "b.zip", code=1).stdout
    elsewhere.guardian("evidence", "verify", authority.root, code=2)
    elsewhere.guardian("evidence", "verify", tmp_path / "gone.zip", code=2)


def test_without_an_authority_nothing_is_written_unless_that_is_wanted(home: Home, tmp_path: Path) -> None:
    case = case_of(home)
    assert "no authority is configured" in home.guardian("evidence", "export", case, "--out", tmp_path / "1.zip").stdout
    assert "exists already" in home.guardian("evidence", "export", case, "--out", tmp_path / "1.zip", code=2).stderr

    stamped_by(home, "timestamps: [{url: 'http://127.0.0.1:9/'}], timestamp_patience: 0s")
    said = home.guardian("evidence", "export", case, "--out", tmp_path / "2.zip", code=4).stderr
    assert "no bundle was written" in said
    assert "--without-timestamp" in said
    assert not (tmp_path / "2.zip").exists()
    home.guardian(
        "evidence", "export", case, "--out", tmp_path / "2.zip", "--without-timestamp", "--without-original",
        "--for-others",
    )  # fmt: skip
    said = home.guardian("evidence", "verify", tmp_path / "2.zip").stdout
    assert "carries no time stamp" in said
    assert "shortened for people outside; left out:" in said
    with zipfile.ZipFile(tmp_path / "2.zip") as archive:
        assert not any(name.startswith("original/") for name in archive.namelist())


def test_a_history_that_was_changed_behind_the_log_is_said(home: Home, tmp_path: Path) -> None:
    case = case_of(home)
    with sqlite3.connect(home.folder / "data" / "guardian.db") as database:
        database.execute("UPDATE case_events SET kind = 'confirmed'")
    home.guardian("evidence", "export", case, "--out", tmp_path / "b.zip")
    assert "not among those" in home.guardian("evidence", "verify", tmp_path / "b.zip").stdout


def test_a_case_is_held_and_released_and_its_evidence_deleted_with_a_trace(home: Home, tmp_path: Path) -> None:
    case = case_of(home)
    assert "is on hold" in home.guardian("evidence", "hold", case, "--note", "matter 17").stdout
    assert "matter 17" in home.guardian("evidence", "hold", case, "--note", "again", code=2).stderr
    assert "matter 17" in home.guardian("evidence", "delete", case, "--note", "x", "--yes", code=2).stderr
    assert "on hold since" in home.guardian("case", "show", case).stdout
    assert "release it" not in home.guardian("memory", "forget", "--host", "innocent.example").stdout
    assert "matter 17" in home.guardian("memory", "off", "--forget", code=2).stderr
    assert "remembered" in home.guardian("memory", "on").stdout
    (usage,) = home.lines("evidence", "du", "--json")
    assert [(one["case"], one["files"], one["hold"]) for one in usage["cases"]] == [(case, 1, True)]

    # A whole vault, then one with a flipped bit, compared with the copy that was made before.
    vault = home.folder / "data" / "evidence"
    shutil.copytree(vault, tmp_path / "copy")
    assert "all are whole" in home.guardian("evidence", "check", "--against", tmp_path / "copy").stdout
    (kept,) = (path for path in vault.rglob("*") if path.is_file() and len(path.name) == 64)
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    said = [json.loads(line) for line in home.guardian("evidence", "check", "--json", code=4).stdout.splitlines()]
    assert [(one["fault"], one["file"]) for one in said] == [("damaged", str(kept))]
    assert "differs" in home.guardian("evidence", "check", "--against", tmp_path / "copy", code=4).stdout
    said = " ".join(home.guardian("evidence", "export", case, "--out", tmp_path / "x.zip", code=3).stdout.split())
    assert "INCOMPLETE: 1 file of the case could not be included" in said
    assert f"damaged; it had the SHA-256 {kept.name}" in said
    home.guardian("evidence", "check", "--against", vault, code=2)

    home.guardian("evidence", "release", case, "--note", "settled")
    assert home.guardian("evidence", "delete", case, "--note", "asked for", given="n\n", code=None).returncode != 0
    assert kept.exists()
    assert "deleted 1 file" in home.guardian("evidence", "delete", case, "--note", "asked for", "--yes").stdout
    assert not kept.exists()
    assert "asked for" in home.guardian("evidence", "list", case).stdout
    assert "has no evidence" in home.guardian("evidence", "delete", case, "--note", "x", "--yes").stdout
    actions = [line["action"] for line in home.lines("audit", "list", "--subject", case, "--json")]
    assert [one for one in actions if one.startswith("evidence.")] == [
        "evidence.held",
        "evidence.exported",
        "evidence.released",
        "evidence.deleted",
    ]


def test_a_captured_comparison_is_computed_again_on_another_machine(home: Home, tmp_path: Path) -> None:
    case = case_of(home)
    (captured,) = home.lines("evidence", "capture", case, "--json")
    names = {file["name"] for file in captured["files"]}
    assert {"comparison/comparison.json", "comparison/heat-map.png", "rights.json"} <= names, captured["not_taken"]
    assert {one["name"] for one in captured["not_taken"]} >= {"control picture", "contacts"}
    bundle = tmp_path / "b.zip"
    home.guardian("evidence", "export", case, "--out", bundle)

    elsewhere = Home(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    (again,) = elsewhere.lines("evidence", "recompute", bundle, "--json")
    assert again["holds"] is True
    assert {number["verdict"] for number in again["numbers"]} == {"exact"}
    assert not list(elsewhere.folder.iterdir())

    content = bytearray(bundle.read_bytes())
    content[content.index(b'"operator"')] ^= 1
    bundle.write_bytes(content)
    said = elsewhere.guardian("evidence", "recompute", bundle, code=1).stdout
    assert "does not hold: it is damaged: case.json" in said
    assert "IT DOES NOT HOLD" in said
    elsewhere.guardian("evidence", "recompute", tmp_path / "none.zip", code=2)
