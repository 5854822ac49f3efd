"""Paths as they were given, made absolute and writable as text."""

import os
from pathlib import Path

import pytest

from guardian.catalog.wanted import Wanted, as_text
from guardian.model import Rights
from guardian.sources.files import absolute_path


def test_nothing_is_said_that_was_not_given() -> None:
    wanted = Wanted(Path("/a.png"), "press")
    assert (wanted.title, wanted.tags, wanted.rights) == (None, (), Rights())


def test_a_path_keeps_its_links_and_loses_its_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "down")
    monkeypatch.chdir(tmp_path)
    assert absolute_path(Path("link/a.png")) == tmp_path / "link" / "a.png"
    assert absolute_path(Path("./deep/a.png")) == tmp_path / "deep" / "a.png"
    assert absolute_path(Path("link/../a.png")) == tmp_path / "deep" / "a.png", "as the system reads it"
    assert absolute_path(tmp_path / "a.png") == tmp_path / "a.png"


@pytest.mark.parametrize(
    ("name", "text"),
    [(b"/a b.png", "/a b.png"), ("/d\u00fcne 猫.png".encode(), "/düne 猫.png"), (b"/d\xfcne.png", "/d\\xfcne.png")],
)
def test_text_that_every_database_holds(name: bytes, text: str) -> None:
    assert as_text(Path(os.fsdecode(name))) == text
    assert as_text(Path(os.fsdecode(name))).encode("utf-8")
