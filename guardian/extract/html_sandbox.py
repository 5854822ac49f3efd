"""Reads any page in bounded time and memory: a complex one in a child process with limits on both.

The parser takes milliseconds for what people write, hours for some pages that attackers write, and cannot be stopped.
"""

import asyncio
import math
import pickle
import resource
import signal
import sys
from datetime import timedelta

from guardian.child_process import child_command
from guardian.errors import FetchRefused
from guardian.extract.html import HtmlReading, read_html
from guardian.extract.html_complexity import is_simple_html
from guardian.model import Response, SkipReason

TIME_LIMIT = timedelta(seconds=20)
"""For the process that reads one complex page, its start included."""

_MEMORY_BYTES = 2 * 1024**3
_OUT_OF_MEMORY = 3
"""The exit code of a child that needed more memory than it may have."""

_READ_ASIDE = 100_000
"""Pages of more bytes are read on a thread, so that other visits go on meanwhile."""

_SIMPLE_BYTES = 4 * 1024**2
_LONGEST_ADDRESS = 500


async def read_guarded(response: Response, time_limit: timedelta = TIME_LIMIT) -> HtmlReading:
    """Return what read_html does, in bounded time and memory. Raises FetchRefused (unreadable) for what needs more."""
    if not is_simple(response):
        return await _read_in_child(response, time_limit.total_seconds())
    if len(response.content) < _READ_ASIDE:
        # A thread would cost more than these few milliseconds.
        return read_html(response)
    return await asyncio.to_thread(read_html, response)


def is_simple(response: Response) -> bool:
    """Return whether a page is surely read within a second or so, and in a few hundred megabytes."""
    content = response.content
    is_short = len(content) <= _SIMPLE_BYTES and len(response.final_url) <= _LONGEST_ADDRESS
    return is_short and is_simple_html(content)


async def _read_in_child(response: Response, seconds: float) -> HtmlReading:
    code, written = await _run_child(response, seconds)
    if code == -signal.SIGKILL:
        # Not by its limits, which end it otherwise: a person did, or the kernel for want of memory.
        code, written = await _run_child(response, seconds)

    if code == 0:
        reading: HtmlReading = pickle.loads(written)  # noqa: S301 - written by guardian itself
        return reading
    if code == -signal.SIGKILL:
        detail = "the process that read its HTML was killed, twice"
        raise FetchRefused(SkipReason.WORKER_KILLED, response.url, detail)
    raise FetchRefused(SkipReason.UNREADABLE, response.url, _why_unread(code, seconds))


def _why_unread(code: int | None, seconds: float) -> str:
    """Return what ended the child that read a page. `code` is its exit code, None when it was out of time."""
    if code in (None, -signal.SIGXCPU):
        return f"its HTML takes more than {seconds:g} s to read"
    if code == _OUT_OF_MEMORY:
        return f"its HTML takes more than {_MEMORY_BYTES >> 30} GiB to read"
    return f"its HTML crashed the process that read it (code {code})"


async def _run_child(response: Response, seconds: float) -> tuple[int | None, bytes]:
    """Return the exit code of a child that read a page, and what it wrote; the code is None when it took too long."""
    child = await asyncio.create_subprocess_exec(
        *child_command(__name__, str(math.ceil(seconds))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(seconds):
            written, _ = await child.communicate(pickle.dumps(response))
    except TimeoutError:
        return None, b""
    finally:
        # Also when the scan is cancelled: the child would go on for its whole time limit.
        if child.returncode is None:
            child.kill()
            await child.wait()

    return child.returncode, written


def _main() -> None:
    """Read the page that stands on standard input, and write what it holds."""
    seconds = int(sys.argv[1])
    # Past the first limit comes SIGXCPU, which nobody else sends; the second one is never reached.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 10))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    response = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by guardian itself
    try:
        reading = read_html(response)
    except MemoryError:
        sys.exit(_OUT_OF_MEMORY)
    sys.stdout.buffer.write(pickle.dumps(reading))


if __name__ == "__main__":
    _main()
