"""One worker process, seen from both sides: the handle that its parent holds, and the loop that runs in the child.

Jobs and results travel pickled over the child's standard input and output, one at a time.
"""

import asyncio
import gc
import os
import pickle
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

from guardian.child_process import child_command
from guardian.concurrency import cancel_all

_LENGTH = struct.Struct("!Q")
_LAST_BREATH = 10.0
"""Seconds within which a worker that stopped answering has ended; else it is killed."""

_STARVED = 10
"""So many times the seconds that a job may compute are the most that it may take, on a machine that is too busy."""

_SHORTEST_PAUSE = 0.01
"""Seconds between two looks at how much CPU a job has used."""

_FAULTS = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP})
"""Signals that a process brings on itself; any other one was sent by somebody, or by the kernel for want of memory."""


class WorkerDied(Exception):
    """A worker process ended before it answered. `code` is its exit code, negative for the signal that ended it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def was_killed(self) -> bool:
        """Whether the process was ended from outside: by a person, another program or the kernel."""
        return self.code < 0 and -self.code not in _FAULTS

    def __str__(self) -> str:
        """Return how the process ended, to stand after "a worker process"."""
        if self.code >= 0:
            return f"ended by itself with exit code {self.code}"
        try:
            name = signal.Signals(-self.code).name
        except ValueError:
            name = f"signal {-self.code}"
        return f"was killed ({name})" if self.was_killed else f"crashed ({name})"


class RanOutOfTime(Exception):
    """A job took too long, and its process was killed. `used`: seconds of CPU that it got; None where nobody counts.

    `was_starved`: the job got less CPU than it was allowed, because the machine was too busy or the job waited.
    """

    def __init__(self, used: float | None, *, was_starved: bool) -> None:
        super().__init__(used)
        self.used, self.was_starved = used, was_starved


class WorkerProcess:
    """A running worker process. It does one job at a time, and ends at the latest with this process."""

    def __init__(
        self, process: asyncio.subprocess.Process, requests: asyncio.StreamWriter, answers: asyncio.StreamReader
    ) -> None:
        self._process, self._requests, self._answers = process, requests, answers
        self._was_ended = False

    @classmethod
    async def start(cls) -> Self:
        """Start a worker process. Raises OSError when the system allows no further process."""
        process = await asyncio.create_subprocess_exec(
            *child_command(__name__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("a worker process has no pipes")

        worker = cls(process, process.stdin, process.stdout)
        # Jobs are found as this process finds them, whatever changed its search path.
        worker._send(sys.path)
        return worker

    @property
    def is_running(self) -> bool:
        """Whether the process is not known to have ended."""
        return not self._was_ended and self._process.returncode is None

    async def run(self, job: Callable[..., Any], *arguments: object) -> Any:
        """Return what a job returns, or raise what it raises. Raises WorkerDied; cancelling it kills the process."""
        try:
            # Pickled first: what cannot be pickled is the caller's fault and costs no worker.
            request = pickle.dumps((job, arguments), protocol=pickle.HIGHEST_PROTOCOL)
            try:
                self._requests.write(_LENGTH.pack(len(request)) + request)
                await self._requests.drain()
                (length,) = _LENGTH.unpack(await self._answers.readexactly(_LENGTH.size))
                answer = await self._answers.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise WorkerDied(await self._ended()) from error
        except asyncio.CancelledError:
            # Nobody waits for the job any more, and there is no other way to end it.
            self.kill()
            await self.wait()
            raise

        returned, value = pickle.loads(answer)  # noqa: S301 - written by guardian itself
        if returned:
            return value
        raise value

    async def run_within(self, seconds: float, job: Callable[..., Any], *arguments: object) -> Any:
        """Do what `run` does, but kill a job that used so many seconds of CPU or takes ten times as long (at least 10).

        Where the system does not count CPU time, all time counts. Raises RanOutOfTime then.
        """
        loop = asyncio.get_running_loop()
        began, used_before = loop.time(), self._cpu_seconds()
        doing = asyncio.ensure_future(self.run(job, *arguments))
        pause = seconds
        try:
            while not (await asyncio.wait({doing}, timeout=pause))[0]:
                now = self._cpu_seconds()
                used = now - used_before if now is not None and used_before is not None else None
                if used is None or used >= seconds:
                    raise RanOutOfTime(used, was_starved=False)
                left = began + _STARVED * max(seconds, 1) - loop.time()
                if left <= 0:
                    raise RanOutOfTime(used, was_starved=True)
                pause = max(min(seconds - used, left), _SHORTEST_PAUSE)
            return doing.result()
        finally:
            await cancel_all([doing])

    def _cpu_seconds(self) -> float | None:
        """Return the CPU time that the process has used so far; None where the system does not say (proc(5))."""
        try:
            after_name = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except (OSError, UnicodeDecodeError):
            return None
        user, system = int(after_name[11]), int(after_name[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End the process at once, if it has not ended."""
        self._was_ended = True
        # It may have ended by itself in this moment.
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> None:
        """Wait until the process has ended and its pipes are closed."""
        await asyncio.shield(self._close())

    async def _close(self) -> None:
        await self._process.wait()
        self._requests.close()
        with suppress(ConnectionError):
            await self._requests.wait_closed()
        # To its end, after which asyncio closes this pipe.
        await self._answers.read()

    def _send(self, value: object) -> None:
        content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        self._requests.write(_LENGTH.pack(len(content)) + content)

    async def _ended(self) -> int:
        """Return the exit code of a process that has closed its pipes."""
        try:
            async with asyncio.timeout(_LAST_BREATH):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        await self.wait()
        return await self._process.wait()


def _main() -> None:
    """Do one job after the other until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # The first job loads a million objects, none of which is garbage: looking for some is a fifth of a start.
    gc.disable()
    requests, answers = _private_pipes()
    sys.path[:] = pickle.loads(_read(requests))  # noqa: S301 - written by guardian itself

    while content := _read(requests):
        returned, value = True, None
        try:
            job, arguments = pickle.loads(content)  # noqa: S301 - written by guardian itself
            value = job(*arguments)
        except Exception as error:  # noqa: BLE001 - it is raised in the parent, which decides what it means
            error.add_note(f"In a worker process:\n{traceback.format_exc()}")
            returned, value = False, error

        answer = _pickled(returned, value)
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()
        gc.enable()


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return the pipes from and to the parent, moved away from where libraries in C may read or write."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, answers


def _read(requests: BinaryIO) -> bytes:
    """Return the next message; empty when the parent has closed the pipe."""
    head = requests.read(_LENGTH.size)
    return requests.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""


def _pickled(returned: bool, value: object) -> bytes:
    try:
        return pickle.dumps((returned, value), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 - some errors of libraries cannot be pickled; their words can
        told = RuntimeError(f"a worker's answer cannot be pickled: {value!r:.200}\n{traceback.format_exc()}")
        return pickle.dumps((False, told), protocol=pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    _main()
