"""One holder per role and data folder; a dead holder holds nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import guardian
from guardian.errors import AlreadyRunning
from guardian.store import hold
from tests.disks import fill, small_disk

REPOSITORY = Path(guardian.__file__).parents[1]
HOLDER = """
import sys
from pathlib import Path
from guardian.store import hold
with hold(Path(sys.argv[1]), "run"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def start_holder(data_dir: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_second_holder_is_refused_and_told_who_holds(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    with pytest.raises(AlreadyRunning, match=rf"'run'.*process {holder.pid}\)"), hold(tmp_path, "run"):
        pass
    # Being refused changes nothing in the file, so the next one is told as well.
    with pytest.raises(AlreadyRunning, match=str(holder.pid)), hold(tmp_path, "run"):
        pass
    holder.communicate("done\n")


def test_lock_of_a_killed_holder_does_not_block(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    lock = tmp_path / "locks" / "run.lock"
    assert lock.read_text() == f"{holder.pid}\n"
    with hold(tmp_path, "run"):
        assert lock.read_text() == f"{os.getpid()}\n"


def test_stale_file_of_whatever_content_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "run.lock").write_bytes(b"\xff\x00 1 " * 100)
    with hold(tmp_path, "run"):
        assert (tmp_path / "locks" / "run.lock").read_text() == f"{os.getpid()}\n"


def test_roles_and_folders_are_apart_and_the_same_process_counts(tmp_path: Path) -> None:
    with (
        hold(tmp_path / "a", "run"),
        hold(tmp_path / "a", "publish"),
        hold(tmp_path / "b", "run"),
        pytest.raises(AlreadyRunning),
        hold(tmp_path / "a", "run"),
    ):
        pass
    with hold(tmp_path / "a", "run"):
        pass


def test_a_child_does_not_inherit_the_role(tmp_path: Path) -> None:
    with hold(tmp_path, "run"):
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    with hold(tmp_path, "run"):
        assert child.poll() is None
    child.communicate()


def test_a_lock_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A message that only says that there is no space does not say where."""
    with small_disk(tmp_path, 64):
        (tmp_path / "locks").mkdir()
        fill(tmp_path)
        with pytest.raises(OSError, match="No space left") as full, hold(tmp_path, "run"):
            pass
        assert full.value.filename == str(tmp_path / "locks" / "run.lock")
        (tmp_path / "filling").unlink()
        with hold(tmp_path, "run"):
            pass
