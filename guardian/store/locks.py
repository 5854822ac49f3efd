"""Locks roles on a data folder, one holder each, by kernel locks (flock) that die with their holder."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from guardian.disk_errors import refuse_root_in
from guardian.durable import naming
from guardian.errors import AlreadyRunning
from guardian.file_locks import is_locked

_ASK_AGAIN_AFTER = timedelta(milliseconds=200)


@contextmanager
def hold(data_dir: Path, role: str) -> Iterator[None]:
    """Hold a role on a data folder while the body runs.

    Raises AlreadyRunning when another process, or other code in this one, holds it, and UsageError for root in the data
    folder of another user. The file that stays behind is no
    lock by itself; the process id in it is only for people to read.
    """
    refuse_root_in(data_dir)
    folder = data_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)

    path = folder / f"{role}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 64, 0).decode("ascii", errors="replace").strip()
            named = f" (process {holder})" if holder else ""
            raise AlreadyRunning(
                f"another guardian is at work on {data_dir}, in the role {role!r}{named}: wait for it, or stop it"
            ) from None

        with naming(path):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(handle)


@asynccontextmanager
async def hold_when_free(data_dir: Path, role: str, patience: timedelta) -> AsyncIterator[None]:
    """Hold a role on a data folder while the body runs; wait up to `patience` for another holder to end.

    Raises AlreadyRunning when the role is still held then.
    """
    gives_up_at = time.monotonic() + patience.total_seconds()
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(hold(data_dir, role))
                break
            except AlreadyRunning:
                if time.monotonic() >= gives_up_at:
                    raise
            # A lock that blocks would stop everything else on this event loop, so it is asked for now and then.
            await asyncio.sleep(_ASK_AGAIN_AFTER.total_seconds())
        yield


def has_holder(data_dir: Path, role: str) -> bool | None:
    """Return whether a role on this data folder is held; None when it never was."""
    return is_locked(data_dir / "locks" / f"{role}.lock")


def remove_lock(data_dir: Path, role: str) -> None:
    """Remove the file of a role that will not be held again, such as one that is named after a process."""
    (data_dir / "locks" / f"{role}.lock").unlink(missing_ok=True)
