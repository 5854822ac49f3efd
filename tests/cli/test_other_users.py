"""Commands of root in the data folder of a service's user: none leaves a file there that the user cannot write."""

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.home import Home, made_home

SERVICE = 54_321
"""A user without a name on this machine."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act in the folder of anybody")


def give_to_service(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, SERVICE, SERVICE)


def owners(folder: Path) -> set[int]:
    return {path.stat().st_uid for path in (folder, *folder.rglob("*"))}


def test_what_would_write_names_the_user_to_be(own: Home, tmp_path: Path, photographs: dict[str, Image.Image]) -> None:
    photographs["rocket"].save(tmp_path / "rocket.png")
    data = own.folder / "data"
    give_to_service(data)
    (asset, _) = own.lines("asset", "list", "--json")
    before = sorted(data.rglob("*"))
    with (own.folder / "config.yaml").open("a") as config:
        config.write(f"sources: [{{name: files, kind: folder, path: {tmp_path}}}]\n")

    for words in (
        ("asset", "add", tmp_path / "rocket.png", "--collection", "press"),
        ("asset", "remove", asset["id"]),
        ("index", "rebuild"),
        ("scan", "files"),
        ("run", "--once"),
    ):
        refused = own.guardian(*words, code=2).stderr
        assert f"{data} belongs to user {SERVICE}" in refused, words
        assert f"sudo -u '#{SERVICE}' guardian" in refused
        assert refused.count("\n") == 1
    assert sorted(data.rglob("*")) == before
    assert owners(data) == {SERVICE}


def test_what_asks_or_writes_the_database_alone_works_and_leaves_no_file_of_roots(own: Home, tmp_path: Path) -> None:
    data = own.folder / "data"
    give_to_service(data)
    assert len(own.lines("asset", "list", "--json")) == 2
    own.guardian("check", own.folder.parent / "home" / "config.yaml", code=3)
    own.guardian("licence", "add", "--host", "a.example", "--collection", "press")
    assert owners(data) == {SERVICE}


def test_a_new_database_is_not_made_by_root(tmp_path: Path) -> None:
    """As after `sudo guardian init` and `chown`, before the service has started."""
    home = made_home(tmp_path / "home")
    (home.folder / "data" / "guardian.db").unlink()
    give_to_service(home.folder / "data")
    assert f"belongs to user {SERVICE}" in home.guardian("asset", "list", code=2).stderr
    assert list((home.folder / "data").iterdir()) == []


def test_root_goes_on_in_a_folder_where_it_has_worked_before(own: Home, tmp_path: Path) -> None:
    """A container that works as root in a folder of its host, which belongs to a user there."""
    os.chown(own.folder / "data", SERVICE, SERVICE)
    own.guardian("index", "rebuild")
