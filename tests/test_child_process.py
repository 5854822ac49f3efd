"""Children end with their parent, at whatever moment it is killed: also between their start and their first line."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guardian.child_process import choose_one_thread_for_algebra

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = int(os.environ.get("GUARDIAN_KILL_ROUNDS", "6"))
"""How often a parent is killed: the moments are spread over the start of its children."""

PARENT = """
import asyncio, sys
from pathlib import Path
from guardian.child_process import child_command

async def main():
    for _ in range(4):
        await asyncio.create_subprocess_exec(*child_command("tests.waits_for_ever", sys.argv[1]))
    print("started", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def named(marker: str) -> list[int]:
    """The processes with this word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and marker.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            # It ended while we looked.
            continue
    return found


def all_gone_within(marker: str, seconds: float) -> bool:
    """Wait until no process has this word in its command line; none of them need be our child."""
    ends_at = time.monotonic() + seconds
    while pids := named(marker):
        if time.monotonic() > ends_at:
            return False
        try:
            descriptor = os.pidfd_open(pids[0])
        except ProcessLookupError:
            continue
        select.select([descriptor], [], [], 0.1)
        os.close(descriptor)
    return True


@pytest.mark.parametrize("moment", range(ROUNDS))
def test_children_end_with_a_parent_that_is_killed(moment: int, tmp_path: Path) -> None:
    marker = f"{tmp_path}/marker"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, marker], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"started\n"
    # From the first millisecond of the children to when all of them wait.
    with pytest.raises(subprocess.TimeoutExpired):
        parent.wait(0.4 * moment / ROUNDS)
    parent.kill()
    parent.wait()
    assert all_gone_within(marker, 60)


@pytest.mark.parametrize(("chosen", "expected"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_children_do_algebra_in_one_thread_unless_another_number_was_chosen(
    chosen: dict[str, str], expected: str
) -> None:
    choose_one_thread_for_algebra(chosen)
    assert chosen == {"OPENBLAS_NUM_THREADS": expected}
