"""What a file that cannot be used says to people."""

import errno
import os
from pathlib import Path

import pytest

from guardian.disk_errors import current_user, disk_error_text, owner_of
from guardian.durable import naming


def text(number: int, path: Path | str | None) -> str:
    return disk_error_text(OSError(number, os.strerror(number), None if path is None else str(path)))


def test_the_file_and_the_reason_are_named(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.touch()
    assert text(errno.ENOSPC, file) == f"no room left to write {file} (No space left on device)"
    assert text(errno.EROFS, file) == f"{file} cannot be written: it lies on a read-only disk"
    assert text(errno.EACCES, file) == f"{file} cannot be used by {current_user()}: it belongs to {owner_of(file)}"
    missing = tmp_path / "locks" / "a.lock"
    assert text(errno.EACCES, missing).endswith(f": {tmp_path} belongs to {owner_of(tmp_path)}")
    assert text(errno.EIO, file) == f"{file}: Input/output error"
    assert text(errno.EIO, None) == "Input/output error"
    assert disk_error_text(OSError("only words")) == "only words"


def test_an_error_of_writing_is_given_the_name_of_its_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="No space left") as full,
        naming(tmp_path / "a"),
        Path("/dev/full").open("wb") as device,
    ):
        device.write(b"a" * 100_000)
    assert full.value.filename == str(tmp_path / "a")
    with pytest.raises(FileNotFoundError) as missing, naming(tmp_path / "a"):
        (tmp_path / "b").read_bytes()
    assert missing.value.filename == str(tmp_path / "b"), "one that is named already keeps its name"
