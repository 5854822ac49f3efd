"""A folder that changes under the catalogue, told apart by content."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.catalog.syncing import Sync, compare_with_folder
from guardian.model import Asset
from guardian.sources.files import files_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MOST = 1_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one of them in a subfolder."""
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "b.png", "sub/c.png"):
        (folder / name).write_bytes(f"picture {name}".encode())
    return folder


def asset(path: Path, content: bytes | None = None) -> Asset:
    """As the catalogue would know this file."""
    sha256 = hashlib.sha256(path.read_bytes() if content is None else content).hexdigest()
    return Asset(f"asset_{sha256[:16]}", 1, path.stem, "press", str(path), sha256, 9, 9, NOON, "work_1")


def known(folder: Path) -> list[Asset]:
    return [asset(path) for path in files_in(folder)]


def compared(folder: Path, assets: list[Asset]) -> Sync:
    return compare_with_folder(folder, list(files_in(folder)), assets, MOST)


def test_a_folder_never_seen_is_all_new(folder: Path) -> None:
    found = compared(folder, [])
    assert found == Sync((folder / "a.png", folder / "b.png", folder / "sub/c.png"), (), (), (), 0)


def test_nothing_changed(folder: Path) -> None:
    assert compared(folder, known(folder)) == Sync((), (), (), (), 3)


def test_new_files(folder: Path) -> None:
    assets = known(folder)
    (folder / "z.png").write_bytes(b"another")
    (folder / "0.png").write_bytes(b"one more")
    assert compared(folder, assets) == Sync((folder / "0.png", folder / "z.png"), (), (), (), 3)


def test_a_file_moved_into_a_subfolder_and_a_file_renamed(folder: Path) -> None:
    assets = known(folder)
    (folder / "a.png").rename(folder / "sub" / "a.png")
    (folder / "b.png").rename(folder / "better.png")
    found = compared(folder, assets)
    assert found.moved == ((assets[0], folder / "sub/a.png"), (assets[1], folder / "better.png"))
    assert (found.new, found.gone, found.replaced, found.unchanged) == ((), (), (), 1)


def test_a_file_moved_into_the_folder_from_elsewhere(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "late.png").write_bytes(b"late")
    late = asset(tmp_path / "late.png")
    (tmp_path / "late.png").rename(folder / "late.png")
    found = compared(folder, [*known(folder)[:-1], late])
    assert found.moved == ((late, folder / "late.png"),)


def test_two_files_that_changed_places(folder: Path) -> None:
    assets = known(folder)
    (folder / "a.png").rename(folder / "tmp")
    (folder / "b.png").rename(folder / "a.png")
    (folder / "tmp").rename(folder / "b.png")
    found = compared(folder, assets)
    assert found.moved == ((assets[0], folder / "b.png"), (assets[1], folder / "a.png"))
    assert (found.new, found.gone, found.replaced) == ((), (), ())


def test_a_deleted_file(folder: Path) -> None:
    assets = known(folder)
    (folder / "sub" / "c.png").unlink()
    (folder / "sub").rmdir()
    assert compared(folder, assets) == Sync((), (), (assets[2],), (), 2)


def test_a_picture_changed_in_place_is_new_and_replaces(folder: Path) -> None:
    assets = known(folder)
    (folder / "a.png").write_bytes(b"retouched")
    assert compared(folder, assets) == Sync((folder / "a.png",), (), (), (assets[0],), 2)


def test_copies_of_one_picture_are_one(folder: Path) -> None:
    assets = known(folder)
    for name in ("copy.png", "sub/copy.png"):
        (folder / name).write_bytes((folder / "a.png").read_bytes())
        (folder / "sub" / f"new {Path(name).parent.name}.png").write_bytes(b"twice new")
    assert compared(folder, assets) == Sync((folder / "sub/new .png",), (), (), (), 3)
    (folder / "a.png").unlink()
    assert compared(folder, assets).moved == ((assets[0], folder / "copy.png"),)


def test_assets_of_other_folders_are_left_alone(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine too"
    other.mkdir()
    (other / "x.png").write_bytes(b"x")
    elsewhere = [asset(other / "x.png"), asset(tmp_path / "gone long ago.png", b"gone")]
    assert compared(folder, [*known(folder), *elsewhere]) == Sync((), (), (), (), 3)


def test_a_copy_of_an_asset_of_another_folder_is_nothing_new(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes((folder / "a.png").read_bytes())
    assets = [asset(tmp_path / "x.png"), *known(folder)[1:]]
    assert compared(folder, assets) == Sync((), (), (), (), 3)


def test_a_folder_reached_by_a_link_is_the_same_folder(folder: Path, tmp_path: Path) -> None:
    assets = known(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert compared(link, assets) == Sync((), (), (), (), 3)
    (folder / "a.png").write_bytes(b"retouched")
    (folder / "b.png").unlink()
    assert compared(link, assets) == Sync((link / "a.png",), (), (assets[1],), (assets[0],), 1)


@pytest.mark.parametrize("way", ["pipe", "loop", "too large", "broken link", "folder"])
def test_what_cannot_be_read_now_is_tried_again_and_its_asset_stays(folder: Path, way: str) -> None:
    assets = known(folder)
    file = folder / "a.png"
    file.unlink()
    if way == "pipe":
        os.mkfifo(file)
    elif way == "loop":
        file.symlink_to(file)
    elif way == "broken link":
        file.symlink_to("nowhere.png")
    elif way == "too large":
        file.write_bytes(b"x" * (MOST + 1))
    else:
        file.mkdir()
    found = compared(folder, assets)
    assert (found.gone, found.replaced, found.moved, found.unchanged) == ((), (), (), 2)
    assert found.new == (() if way == "folder" else (file,))


def test_progress_is_told(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    compare_with_folder(folder, list(files_in(folder)), [], MOST, lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
