"""`guardian asset` as a person runs it, with the files that people have."""

import io
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from guardian.model import Action, Comparison, Decision, Finding, LicenceStatus
from tests.cli.home import Home, made_home
from tests.databases import store_in

ODD = os.fsdecode(b"d\xfcne\n\x1b[31m.png")


@pytest.fixture
def mine(tmp_path: Path, photographs: dict[str, Image.Image]) -> Path:
    """A folder to sync: two pictures, one of them in a subfolder."""
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    photographs["cat"].save(folder / "cat.png")
    photographs["rocket"].save(folder / "sub" / "rocket.png")
    return folder


def test_a_folder_with_all_kinds_of_files(tmp_path: Path, mine: Path, photographs: dict[str, Image.Image]) -> None:
    home = made_home(tmp_path / "home")
    (mine / "again.png").write_bytes((mine / "cat.png").read_bytes())
    photographs["cat"].save(mine / "nearly.jpg", quality=70)
    (mine / "notes.txt").write_text("no picture")
    Image.new("RGB", (300, 300)).save(mine / "plain.png")
    photographs["coffee"].save(mine / ODD)
    (mine / "gone.png").symlink_to(mine / "nowhere")
    said = home.guardian("asset", "add", mine, "--collection", "press", "--tag", "sea", code=3).stdout
    assert "\x1b" not in said, "a file's name cannot colour the terminal"
    assert f"known before {mine}/cat.png  (the same bytes as {mine}/again.png)" in said
    assert f"a version of {mine}/again.png (work_" in said
    assert f"unprotected  {mine}/notes.txt: no picture" in said
    assert f"unprotected  {mine}/plain.png: too plain" in said
    assert f"unprotected  {mine}/gone.png: there is no file" in said
    assert said.splitlines()[-1].split(", ") == [
        "4 protected",
        "1 known before",
        "1 could not be read",
        "2 cannot be protected",
    ]
    (mine / "gone.png").unlink()
    again = home.lines("asset", "add", mine, "--collection", "press", "--json")
    assert [line["outcome"] for line in again].count("known_before") == 5
    assert [line["outcome"] for line in again].count("cannot_be_protected") == 2
    assets = home.lines("asset", "list", "--json")
    assert {asset["path"] for asset in assets} == {
        f"{mine}/again.png",
        f"{mine}/nearly.jpg",
        f"{mine}/sub/rocket.png",
        f"{mine}/d\\xfcne\n\x1b[31m.png",
    }
    assert all(asset["tags"] == ["sea"] for asset in assets)
    listed = home.guardian("asset", "list").stdout
    assert "\x1b" not in listed
    assert len(listed.splitlines()) == 4
    synced = home.guardian("asset", "sync", mine, "--collection", "press").stdout
    assert synced.splitlines()[-1] == "4 unchanged, 0 moved, 2 cannot be protected"


def test_a_spreadsheet_with_rights(own: Home, mine: Path) -> None:
    table = mine / "table.csv"
    table.write_text(
        "path;title;tags;creator;copyright_notice\n"
        'cat.png;"A cat, ""Chelsea""";cat, home;Ann;© Ann\nsub/rocket.png;Ракета 🚀;;;\n;;;;\n',
        encoding="utf-8-sig",
    )
    first, second = own.lines("asset", "add", table, "--collection", "pets", "--json")
    assert first["asset"]["title"] == 'A cat, "Chelsea"'
    assert first["asset"]["rights"]["creator"] == "Ann"
    assert first["asset"]["rights"]["copyright_notice"] == "© Ann"
    assert first["asset"]["path"] == str(mine / "cat.png")
    assert second["asset"]["title"] == "Ракета 🚀"
    assert second["asset"]["collection"] == "pets"
    assert "Ракета 🚀" in own.guardian("asset", "list", "--collection", "pets").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mine"], "--collection NAME is required"),
        (["", "--collection", "a"], "a PATH is empty"),
        (["nowhere.png", "--collection", "a"], "there is no file or folder nowhere.png"),
        (["nul\0.png", "--collection", "a"], None),
        (["mine", "--collection", " "], "at least one letter"),
        (["mine", "--collection", "a\nb"], "no line breaks"),
        (["mine", "--collection", "a", "--title", "T"], "--title is for one file; these are 2"),
        (["empty", "--collection", "a"], "there is no file in empty"),
        (["wrong.csv", "--collection", "a"], "wrong.csv:1: the first line must name the columns"),
        (["mine/cat.png/below.png", "--collection", "a"], "Not a directory"),
    ],
)
def test_wishes_that_make_no_sense(
    protected: Home, mine: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str | None
) -> None:
    monkeypatch.chdir(mine.parent)
    Path("empty").mkdir()
    Path("wrong.csv").write_text("file,name\n")
    if told is None:
        return
    refused = protected.guardian("asset", "add", *words, code=2)
    assert told in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""


def test_guardians_own_files_are_never_protected(own: Home, mine: Path) -> None:
    """They are originals again, and copies that strangers made."""
    (own.folder / "data" / "evidence").mkdir()
    shutil.copy(mine / "cat.png", own.folder / "data" / "evidence" / "stolen.png")
    before = own.lines("asset", "list", "--json")
    added = own.guardian("asset", "add", own.folder, "--collection", "a")
    assert "of guardian's own data folder" in added.stderr
    assert own.lines("asset", "list", "--json") == before
    own.guardian("asset", "add", own.folder / "data", "--collection", "a", code=2)


def test_show_and_remove_by_the_start_of_an_id(own: Home) -> None:
    astronaut, coffee = own.lines("asset", "list", "--json")
    shown = json.loads(own.guardian("asset", "show", astronaut["id"][:12]).stdout)
    assert shown == astronaut | {"versions": [], "seen_before": []}
    assert "assets start with asset_" in own.guardian("asset", "show", "asset_", code=2).stderr
    assert "there is no asset zzz" in own.guardian("asset", "remove", "zzz", code=2).stderr
    short = coffee["id"].removeprefix("asset_")[:8]
    assert own.guardian("asset", "remove", short).stdout.startswith(f"taken out    {coffee['id']}")
    assert own.guardian("asset", "remove", short).stdout.startswith(f"was out      {coffee['id']}")
    assert own.lines("asset", "list", "--json") == [astronaut]
    (answer,) = own.lines("check", "--json", coffee["path"])
    assert (answer["outcome"], answer["assets_searched"]) == ("clear", 1)


def test_sync_adds_moves_and_asks_before_taking_out(tmp_path: Path, mine: Path) -> None:
    home = made_home(tmp_path / "home")
    assert home.guardian("asset", "sync", mine, "--collection", "press").stdout.splitlines()[-1] == (
        "0 unchanged, 0 moved, 2 protected"
    )
    (mine / "cat.png").rename(mine / "sub" / "moved.png")
    (mine / "sub" / "rocket.png").unlink()
    refused = home.guardian("asset", "sync", mine, "--collection", "press", given="n\n").stdout
    assert f"moved        {mine}/cat.png -> {mine}/sub/moved.png" in refused
    assert f"gone         {mine}/sub/rocket.png" in refused
    assert len(home.lines("asset", "list", "--json")) == 2
    home.guardian("asset", "sync", mine, "--collection", "press", "--yes")
    (left,) = home.lines("asset", "list", "--json")
    assert left["path"] == str(mine / "sub" / "moved.png")
    unanswered = home.guardian("asset", "sync", mine, "--collection", "press").stdout
    assert unanswered == "1 unchanged, 0 moved\n"
    # A folder without any file is a disk that is not there rather than a decision.
    (mine / "sub" / "moved.png").rename(tmp_path / "elsewhere.png")
    empty = home.guardian("asset", "sync", mine, "--collection", "press", "--yes", code=2).stderr
    assert f"{mine} holds no file at all, and 1 asset came from it: is its disk there?" in " ".join(empty.split())
    assert len(home.lines("asset", "list", "--json")) == 1


def test_a_sync_that_nobody_answers_takes_nothing_out(tmp_path: Path, mine: Path) -> None:
    home = made_home(tmp_path / "home")
    home.guardian("asset", "sync", mine, "--collection", "press")
    (mine / "cat.png").unlink()
    assert "interrupted" in home.guardian("asset", "sync", mine, "--collection", "press", code=130).stderr
    assert len(home.lines("asset", "list", "--json")) == 2


def test_a_terminal_that_writes_no_utf_8(protected: Home) -> None:
    shown = protected.guardian("asset", "list", "--json", PYTHONIOENCODING="latin-1")
    assert len([json.loads(line) for line in io.StringIO(shown.stdout)]) == 2
    protected.guardian("check", protected.folder.parent / "mine" / "coffee.png", code=1, PYTHONIOENCODING="latin-1")


def test_without_a_home(protected: Home) -> None:
    assert protected.guardian("asset", "list", HOME="/nonexistent").stdout


def test_details_are_corrected_by_hand_and_it_is_said_what_changed(own: Home) -> None:
    coffee = own.lines("asset", "list", "--json")[1]
    changed = own.guardian("asset", "edit", coffee["id"], "--title", "Cup", "--tag", "hot", "--creator", "Ann").stdout
    assert changed.splitlines() == [
        f"changed      {coffee['id']}  “Cup”",
        "             title: “coffee” -> “Cup”",
        "             tags: none -> “hot”",
        "             creator: none -> “Ann”",
    ]
    shown = json.loads(own.guardian("asset", "show", coffee["id"]).stdout)
    assert (shown["title"], shown["tags"], shown["rights"]["creator"]) == ("Cup", ["hot"], "Ann")
    same = own.guardian("asset", "edit", coffee["id"], "--title", "Cup").stdout
    assert same == f"unchanged    {coffee['id']}  “Cup”\n"
    gone = own.guardian("asset", "edit", coffee["id"], "--no-tags", "--creator", "", "--collection", "shop").stdout
    assert "tags: “hot” -> none" in gone
    assert "creator: “Ann” -> none" in gone
    assert "collection: “press” -> “shop”" in gone
    assert "nothing to change" in own.guardian("asset", "edit", coffee["id"], code=2).stderr
    assert "exclude each other" in own.guardian("asset", "edit", coffee["id"], "--tag", "a", "--no-tags", code=2).stderr


def test_what_was_taken_out_stays_out_until_it_is_wanted_again(own: Home) -> None:
    coffee = own.lines("asset", "list", "--json")[1]
    folder = Path(coffee["path"]).parent
    own.guardian("asset", "remove", coffee["id"])
    told = own.guardian("asset", "add", folder, "--collection", "press").stdout
    assert f"stays out    {coffee['path']}\n             {coffee['id']} was taken out; --again protects it" in told
    assert told.endswith("1 known before, 1 stays out\n")
    assert "1 stays out" in own.guardian("asset", "sync", folder, "--collection", "press").stdout
    synced = own.guardian("asset", "sync", folder, "--collection", "press", "--again").stdout
    assert synced.endswith("1 unchanged, 0 moved, 1 protected\n")
    own.guardian("asset", "remove", coffee["id"])
    again = own.lines("asset", "add", folder, "--collection", "press", "--again", "--json")
    assert [line["outcome"] for line in again] == ["known_before", "protected"]
    assert len(own.lines("asset", "list", "--json")) == 2


def test_what_cannot_be_read_is_named_and_the_rest_is_protected(tmp_path: Path, mine: Path) -> None:
    """A link to nowhere, a circle of links, a pipe, and folders so deep that no path leads to their end."""
    (mine / "nowhere.png").symlink_to("gone.png")
    (mine / "circle").symlink_to("circle")
    os.mkfifo(mine / "pipe.png")
    descriptor = os.open(mine, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=descriptor)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    whole = (mine / "cat.png").read_bytes()
    (mine / "cut.png").write_bytes(whole[: len(whole) * 3 // 4])

    home = made_home(tmp_path / "home")
    lines = home.lines("asset", "add", mine, "--collection", "press", "--json", code=3)
    outcomes = {Path(line["path"]).name: line["outcome"] for line in lines}
    assert outcomes == {
        "cat.png": "protected",
        "rocket.png": "protected",
        "cut.png": "protected",
        "nowhere.png": "could_not_be_read",
        "circle": "could_not_be_read",
        "pipe.png": "could_not_be_read",
        "d" * 250: "could_not_be_read",
    }
    assert [Path(line["path"]).name for line in lines if line["cut_off"]] == ["cut.png"]
    shutil.rmtree(mine)


def test_uses_are_judged_again_when_an_asset_changes_its_collection(own: Home) -> None:
    coffee = own.lines("asset", "list", "--json")[1]
    own.guardian("licence", "add", "--host", "shop.example", "--collection", "sold")
    seen = datetime.now(UTC)
    store = store_in(own.folder / "data")
    with store.begin() as tx:
        found = Finding(
            id="find_1",
            asset_id=coffee["id"],
            case_id=None,
            source="web",
            page_url="https://shop.example/p",
            image_url="https://shop.example/i.jpg",
            first_seen_at=seen,
            last_seen_at=seen,
            licence=LicenceStatus.NONE,
            decision=Decision(Action.ALERT, "copies"),
            comparison=Comparison(0.99),
            candidate_sha256="c" * 64,
            image_sha256=None,
            page_sha256=None,
        )
        tx.findings.upsert(found)

    def standing() -> LicenceStatus:
        with store.read() as tx:
            found = tx.findings.get("find_1")
        assert found is not None
        return found.licence

    own.guardian("asset", "edit", coffee["id"], "--collection", "sold")
    assert standing() is LicenceStatus.LICENSED
    table = own.folder / "corrected.csv"
    table.write_text(f"path,collection\n{coffee['path']},press\n")
    assert "collection: “sold” -> “press”" in own.guardian("asset", "add", table).stdout
    assert standing() is not LicenceStatus.LICENSED
    store.close()
