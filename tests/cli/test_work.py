"""`guardian work`: lists and shows which assets are one work, and takes a person's corrections."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.home import Home
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LEAF, WEB, DUNE = (f"asset_{digit * 16}" for digit in "abc")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Three protected assets, each a work of its own."""
    (tmp_path / "config.yaml").write_text("data_dir: data\n")
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        for digit, title, collection in (("a", "Leaf", "press"), ("b", "Leaf", "web"), ("c", "Düne", "press")):
            asset = tx.assets.reserve(
                digit * 64, title=title, collection=collection, path=f"/{digit}.jpg", size=(800, 600), at=NOON
            )
            tx.assets.protect([asset.number])
            tx.works.note_sought([asset.id], 1)
    store.close()
    return Home(tmp_path)


def test_join_show_and_split(home: Home) -> None:
    assert home.guardian("work", "list").stdout.startswith("no works of several assets")
    first, second, _ = home.lines("work", "list", "--all", "--json")

    joined = home.guardian("work", "join", LEAF, second["id"][:12], "--by", "ada").stdout
    assert joined.splitlines() == [
        f"{first['id']}  2 versions",
        f"  {LEAF}  Leaf  (800x600, press; /a.jpg)",
        f"  {WEB}  Leaf  (800x600, web; /b.jpg)",
    ]
    (listed,) = home.lines("work", "list", "--json")
    assert [asset["id"] for asset in listed["assets"]] == [LEAF, WEB]
    # The id of the work that was joined leads on.
    assert home.guardian("work", "show", second["id"]).stdout == joined
    assert f'"work": "{first["id"]}"' in home.guardian("asset", "show", WEB).stdout

    split = home.guardian("work", "split", WEB, "--by", "bob", "--note", "another leaf").stdout.splitlines()
    assert [line for line in split if "version" in line] == [
        f"{first['id']}  1 version",
        f"{split[2].split()[0]}  1 version",
    ]
    assert f"{LEAF} and {WEB} by bob" in home.guardian("work", "show", WEB).stdout
    shown = json.loads(home.guardian("work", "show", LEAF, "--json").stdout)
    assert [(pair["by"], pair["note"]) for pair in shown["split"]] == [("bob", "another leaf")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["join", LEAF], "join at least two"),
        (["join", LEAF, LEAF], "these are one work already"),
        (["split", LEAF], "no other assets"),
        (["split", LEAF, DUNE], "these assets are of 2 works"),
        (["show", "work_nothing"], "there is no work work_nothing"),
        (["show", "work_"], "3 works start with work_"),
        (["split", "zzz"], "there is no asset zzz"),
    ],
)
def test_wishes_that_make_no_sense(home: Home, words: list[str], told: str) -> None:
    refused = home.guardian("work", *words, code=2)
    assert told in refused.stderr
    assert refused.stdout == ""


def test_assets_that_nobody_has_compared_yet_are_counted(home: Home) -> None:
    store = store_in(home.folder / "data")
    with store.begin() as tx:
        tx.works.note_sought([DUNE], 0)
    assert "1 asset not compared with the others yet" in home.guardian("work", "list").stderr

    # What is too plain to be compared waits for nothing.
    with store.begin() as tx:
        tx.assets.note_by_bytes_only(DUNE)
        assert tx.works.unsought(1) == []
    store.close()
