"""Locks of files: held by one at a time, seen by others, and gone with their holder."""

import subprocess
import sys
import threading
from pathlib import Path

from guardian.file_locks import is_locked, locked

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_lock_is_seen_until_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    assert is_locked(path) is None
    holder = subprocess.Popen(
        [sys.executable, "-S", "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert is_locked(path) is True
    holder.kill()
    holder.communicate()
    assert is_locked(path) is False


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    path, order = tmp_path / "one.lock", []

    def second() -> None:
        with locked(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(path):
        thread.start()
        assert is_locked(path) is True
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]
    assert path.stat().st_mode & 0o777 == 0o600
