"""Files are there as a whole or not at all, whatever the disk does."""

import os
import threading
from pathlib import Path

import pytest

from guardian.durable import new_file, sync_file, write_whole
from tests.disks import read_only, small_disk

_REFUSED = "Read-only|Permission denied"


def write_new(path: Path, content: bytes) -> None:
    with new_file(path) as file:
        file.write(content)
        sync_file(file)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_full_disk_leaves_the_earlier_file_and_no_half_of_the_new_one(tmp_path: Path) -> None:
    with small_disk(tmp_path, 64):
        path = tmp_path / "page.html"
        write_whole(path, b"earlier")
        with pytest.raises(OSError, match="No space left") as full:
            write_whole(path, bytes(100_000))
        assert full.value.filename == str(path)
        with pytest.raises(OSError, match="No space left") as full:
            write_new(tmp_path / "sent.eml", bytes(100_000))
        assert full.value.filename == str(tmp_path / "sent.eml")
        assert (names_in(tmp_path), path.read_bytes()) == (["page.html"], b"earlier")


def test_a_read_only_folder_is_said_of_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with read_only(tmp_path):
        with pytest.raises(OSError, match=_REFUSED) as refused:
            write_whole(tmp_path / "page.html", b"new")
        assert refused.value.filename == str(tmp_path / "page.html")
        with pytest.raises(OSError, match=_REFUSED) as refused:
            write_new(tmp_path / "sent.eml", b"new")
        assert refused.value.filename == str(tmp_path / "sent.eml")


def test_a_file_that_is_replaced_keeps_its_permissions_and_its_links(tmp_path: Path) -> None:
    path, link = tmp_path / "page.html", tmp_path / "link.html"
    path.write_bytes(b"earlier")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (names_in(tmp_path), link.is_symlink()) == (["link.html", "page.html"], True)


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"page")
    reader.join()
    assert read == [b"page"]
    assert pipe.is_fifo()


def test_a_new_file_takes_the_place_of_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sent.eml"
    path.write_bytes(b"earlier")
    with pytest.raises(FileExistsError):
        write_new(path, b"new")
    assert (names_in(tmp_path), path.read_bytes()) == (["sent.eml"], b"earlier")
