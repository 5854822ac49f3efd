"""The files of one capture: bounded, named plainly, and gone when nobody settles them."""

import fcntl
import hashlib
from pathlib import Path

import pytest

from guardian.errors import CaptureFull, NotAnImage, WorkerLost, WorkersUnavailable
from guardian.evidence.capture_folder import opened_capture_folder
from guardian.evidence.step_result import reason_of
from guardian.model import SkipReason


def test_files_are_digested_and_gone_after_the_capture(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 3_000_000)
    with opened_capture_folder(tmp_path, 4_000_000) as captured:
        first = captured.add("comparison/overlay.png", b"picture", "image/png", "The overlap.")
        second = captured.add_file("page.wacz", source, "application/wacz", "The page.")
        assert captured.files == (first, second)
        assert (first.sha256, first.size_bytes) == (hashlib.sha256(b"picture").hexdigest(), 7)
        assert second.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
        assert captured.path_of(second).read_bytes() == source.read_bytes()
        assert captured.free_bytes == 4_000_000 - 3_000_007
        with pytest.raises(CaptureFull, match=r"evidence\.capture\.max_bytes"):
            captured.add("big.bin", b"x" * 1_000_000, "application/octet-stream", "Too much.")
        assert captured.add("small.bin", b"", "application/octet-stream", "Fits.").size_bytes == 0
    assert not captured.path.exists()


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a//b", "Upper.png", ".lock", "a/../b", "", "ä.png", "twice"])
def test_names_that_could_lie_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    with opened_capture_folder(tmp_path, 100) as captured:
        captured.add("twice", b"", "text/plain", "Once.")
        with pytest.raises(ValueError, match="no name"):
            captured.add(name, b"", "text/plain", "Twice.")


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(tmp_path: Path) -> None:
    with opened_capture_folder(tmp_path, 100) as other:
        left = other.path.parent / "left"
        left.mkdir()
        (left / "page.wacz").write_bytes(b"half")
        with (left / ".lock").open("w") as lock, opened_capture_folder(tmp_path, 100) as captured:
            assert not left.exists()
            assert other.path.exists()
            assert captured.path != other.path
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_where_this_machine_failed_it_is_said_that_a_new_capture_may_succeed() -> None:
    busy = reason_of(WorkerLost(SkipReason.TIMED_OUT, "a worker was busy with this image for more than 30 s"))
    assert busy.startswith("a worker was busy with this image for more than 30 s. This machine failed at it")
    assert busy.endswith("a new capture tries again")
    assert reason_of(WorkersUnavailable("not ready after 180 s")).endswith("a new capture tries again")
    assert reason_of(NotAnImage("no picture")) == "no picture"
