"""Lists of addresses and folders of files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guardian.errors import UsageError
from guardian.model import Sighting, Skipped


def test_a_listing_yields_its_addresses_in_order_and_names_the_rest(
    tmp_path: Path, discovered: Callable[..., list[Any]]
) -> None:
    lines = [
        "\ufeff# reported",
        "",
        "https://a.example/1.jpg",
        " https://a.example/2.jpg ",
        "nonsense",
        "https://a.example/1.jpg",
    ]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    seen = discovered(kind="listing", path=tmp_path / "list.txt")
    assert [one.image_url for one in seen if isinstance(one, Sighting)] == [
        "https://a.example/1.jpg",
        "https://a.example/2.jpg",
    ]
    assert [(one.url, one.detail) for one in seen if isinstance(one, Skipped)] == [
        ("nonsense", f"{tmp_path}/list.txt:5: not a web address")
    ]


def test_a_listing_that_cannot_be_read(tmp_path: Path, discovered: Callable[..., list[Any]]) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        discovered(kind="listing", path=tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"https://a.example/\xe9.jpg")
    with pytest.raises(UsageError, match="cannot be read"):
        discovered(kind="listing", path=tmp_path / "latin.txt")


def test_a_folder_is_looked_through_in_order_and_loops_end(
    tmp_path: Path, discovered: Callable[..., list[Any]]
) -> None:
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    for name in ("c.jpg", "a.jpg", "b/d.jpg", ".hidden.jpg"):
        (folder / name).write_bytes(b"x")
    (folder / "b" / "up").symlink_to(folder)
    (folder / "e.jpg").symlink_to(folder / "a.jpg")
    seen = discovered(kind="folder", path=folder)
    assert [one.image_url.removeprefix(folder.as_uri() + "/") for one in seen] == ["a.jpg", "b/d.jpg", "c.jpg", "e.jpg"]
    with pytest.raises(UsageError, match="does not exist"):
        discovered(kind="folder", path=tmp_path / "none")


def test_a_folder_that_cannot_be_read_is_no_fault_of_guardian(
    tmp_path: Path, discovered: Callable[..., list[Any]]
) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: .*File name too long"):
        discovered(kind="folder", path=tmp_path / ("x" * 300))


def test_folders_that_link_to_each_other_are_looked_through_in_the_end(
    tmp_path: Path, discovered: Callable[..., list[Any]]
) -> None:
    folder, names = tmp_path / "in", [str(number) for number in range(12)]
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "a.jpg").write_bytes(b"x")
    for name in names:
        for other in names:
            (folder / name / f"to-{other}").symlink_to(folder / other)

    seen = [one.image_url.removeprefix(folder.as_uri() + "/") for one in discovered(kind="folder", path=folder)]
    assert {f"{name}/a.jpg" for name in names} <= set(seen)
    assert len(seen) <= 2 * len(names)
