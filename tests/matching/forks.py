"""Real child processes for the tests of matching: made by fork, so that they need not import anything again."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from itertools import count
from typing import NoReturn

FILE_OPERATIONS = (
    "open",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.listdir",
    "os.scandir",
    "shutil.rmtree",
)
"""Audit events that come just before a process changes or reads the file system."""


def forked(job: Callable[[], None]) -> int:
    """Start a job in a child process and return its id. It ends with 0, or with 1 after an error."""
    pid = os.fork()
    if pid == 0:
        # A child whose files are bounded, or that is killed, must not leave half a compiled module behind.
        sys.dont_write_bytecode = True
        _run(job)
    return pid


def _run(job: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        job()
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for a child: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_before(step: int, job: Callable[[], None]) -> int:
    """Run the job in a child that is killed just before its `step`-th file operation; -9, or 0 when it has fewer."""

    def counted() -> None:
        steps = count(1)

        def watch(event: str, _: object) -> None:
            if event in FILE_OPERATIONS and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        job()

    return ended(forked(counted))
