"""Starts child processes that end when this process ends, however it ends: none goes on with work that nobody awaits.

Run as a program, it makes a child of itself: it asks the kernel for a signal at the parent's death, then runs a module.
"""

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1
_KILLED_FIRST = 500
"""The kernel's score (0 to 1000) by which a child is ended before its parent when the machine runs out of memory."""


def child_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this Python as a child of this process.

    Start it from a thread that lives as long as the child may: the kernel takes the end of the thread that forked for
    the end of the parent. The thread of an event loop is such a one.
    """
    return [sys.executable, "-u", "-m", __name__, str(os.getpid()), module, *arguments]


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; `parent` is the parent's process id.

    Exits at once when the parent has ended already, before the kernel could be asked.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _be_killed_first() -> None:
    """Offer this process to the kernel when memory runs out: losing a child costs one picture, the parent all work."""
    # Some sandboxes do not let a process change it.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_KILLED_FIRST), encoding="ascii")


def choose_one_thread_for_algebra(environment: MutableMapping[str, str]) -> None:
    """Have NumPy use one thread for linear algebra in child processes, unless another number was chosen.

    There is a process for each core already, and small products take longer with threads that wait for each other.
    """
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")


def _main() -> None:
    """Tie this process to its parent before anything else is loaded, then run the module that was asked for."""
    end_with_parent(int(sys.argv[1]))
    _be_killed_first()
    module = sys.argv[2]
    sys.argv[:] = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
