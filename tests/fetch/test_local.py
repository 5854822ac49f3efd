"""Local files read as if they were answers."""

import os
import socket
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch import local

MOST = 1000


def reason_for(url: str) -> str:
    started = time.monotonic()
    with pytest.raises((FetchFailed, FetchRefused)) as said:
        local.read(url, MOST)
    assert time.monotonic() - started < 30
    assert said.value.url == url
    return said.value.reason


@pytest.mark.parametrize(
    "name", [b"plain.jpg", b"with space.jpg", "grüß ✓.jpg".encode(), b"100%41.jpg", b"q?a#b.jpg", b"odd\xff\xfe\n.jpg"]
)
def test_a_file_of_any_name_is_read(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(b"content")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    before = datetime.now(UTC)
    response = local.read(path.as_uri(), MOST)
    assert (response.content, response.status, response.remote_address) == (b"content", 200, None)
    assert response.url == response.final_url == path.as_uri()
    assert response.header("Last-Modified") == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert before <= response.fetched_at <= datetime.now(UTC)
    assert local.path_of(path.as_uri()) == path


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="most file systems keep no such times, but tmpfs does")
@pytest.mark.parametrize("modified", [2**40, -(2**40)])
def test_a_file_whose_time_is_in_no_year_is_read(modified: int) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder, "odd.jpg")
        path.write_bytes(b"content")
        os.utime(path, (modified, modified))
        response = local.read(path.as_uri(), MOST)
    assert (response.content, response.header("last-modified")) == (b"content", None)


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert local.read((tmp_path / "link").as_uri(), MOST).content == b"content"


def test_what_is_no_file_has_its_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"x")
    with socket.socket(socket.AF_UNIX) as listening:
        # The whole path may be longer than the address of a socket.
        monkeypatch.chdir(tmp_path)
        listening.bind("socket")
        found = {
            name: reason_for((tmp_path / name).as_uri()) for name in ("pipe", "folder", "loop", "dangling", "socket")
        }
    found["device"] = reason_for("file:///dev/zero")
    found["through a file"] = reason_for((tmp_path / "file" / "below").as_uri())
    found["missing"] = reason_for((tmp_path / "missing").as_uri())
    found["nul"] = reason_for("file:///tmp/a%00b")
    found["too long"] = reason_for("file:///" + "a" * 5000)
    assert found == {
        "pipe": "not_a_file",
        "folder": "not_a_file",
        "loop": "unreadable",
        "dangling": "missing",
        "socket": "unreadable",
        "device": "not_a_file",
        "through a file": "unreadable",
        "missing": "missing",
        "nul": "unreadable",
        "too long": "unreadable",
    }


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    if os.access(tmp_path / "secret", os.R_OK):
        pytest.skip("this user reads everything")
    assert reason_for((tmp_path / "secret").as_uri()) == "unreadable"


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(tmp_path: Path) -> None:
    (tmp_path / "fits").write_bytes(b"x" * MOST)
    (tmp_path / "larger").write_bytes(b"x" * (MOST + 1))
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert len(local.read((tmp_path / "fits").as_uri(), MOST).content) == MOST
    assert reason_for((tmp_path / "larger").as_uri()) == "too_large"
    assert reason_for((tmp_path / "sparse").as_uri()) == "too_large"


@pytest.mark.parametrize("url", ["http://host/x", "file://server/share/x.jpg", "x.jpg", "ftp:///x", ""])
def test_other_addresses_are_refused(url: str) -> None:
    assert reason_for(url) == "scheme"


def test_localhost_is_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert local.read(f"file://localhost{tmp_path}/a", MOST).content == b"x"
