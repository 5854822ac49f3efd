"""Reads any page in bounded time and memory: odd ones in a process of their own, which has little of both.

The parser takes milliseconds for what people write, hours for some pages that attackers write, and cannot be stopped.
"""

import asyncio
import math
import pickle
import re
import resource
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from guardian.errors import FetchRefused
from guardian.model import Response, Sighting
from guardian.sources.html import HtmlReading, read_html

PATIENCE = timedelta(seconds=20)
"""For the process that reads one odd page, its start included."""

_MEMORY_BYTES = 2 * 1024**3
_READ_ASIDE = 100_000
"""Pages of more bytes are read on a thread, so that other visits go on meanwhile."""

_ORDINARY_BYTES = 4 * 1024**2
_LONGEST_ADDRESS = 500
_TAG = re.compile(rb"<(\\?/)?([a-zA-Z][a-zA-Z0-9]*)")
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{2000,}")
_LONG_BASE = re.compile(rb"<base[^<>]{200,}", re.IGNORECASE)
_FRAME_WITHIN = re.compile(rb"srcdoc", re.IGNORECASE)
"""Its elements are escaped, in more ways than are worth counting."""

_MANY_WORDS = 1_000
_MANY_OPTIONS = 5_000
_CLOSED_BY_NEIGHBOURS = frozenset(
    b"area base br col embed hr img input link meta source track wbr param".split()
    + b"p li dt dd tr td th tbody thead tfoot option".split()
)
"""Elements without end tags, which do not pile up."""

_REPEATED = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
"""What is left open among these is written again into every following paragraph (HTML Standard, 13.2.4.3)."""

_MOST_STEPS, _MOST_REPEATS = 10_000_000, 1_000_000


async def read_guarded(response: Response, source: str, patience: timedelta = PATIENCE) -> HtmlReading:
    """As read_html, in bounded time and memory. Raises FetchRefused (unreadable) for what needs more."""
    if not is_ordinary(response):
        return await _read_apart(response, source, patience.total_seconds())
    if len(response.content) < _READ_ASIDE:
        return read_html(response, source)
    return await asyncio.to_thread(read_html, response, source)


def is_ordinary(response: Response) -> bool:
    """Whether a page is surely read within a second or so, and in a few hundred megabytes."""
    content = response.content
    if len(content) > _ORDINARY_BYTES or len(response.final_url) > _LONGEST_ADDRESS or _LONG_BASE.search(content):
        return False
    if _FRAME_WITHIN.search(content):
        return False
    if any(len(tag[0].split()) > _MANY_WORDS for tag in _LONG_TAG.finditer(content)):
        return False
    names = Counter[bytes]()
    most_open, most_repeated = _most_open(content, names, lambda name: name in _REPEATED)
    tags = names.total()
    return (
        tags * most_open <= _MOST_STEPS and tags * most_repeated <= _MOST_REPEATS and names[b"option"] <= _MANY_OPTIONS
    )


def _most_open(content: bytes, names: Counter[bytes], is_repeated: Callable[[bytes], bool]) -> tuple[int, int]:
    """How many elements are open at once, at most, and how many of the repeated ones. Counts all tags in `names`."""
    unclosed = Counter[bytes]()
    now = most = now_repeated = most_repeated = 0
    for found in _TAG.finditer(content):
        name = found[2].lower()
        names[name] += 1
        if name in _CLOSED_BY_NEIGHBOURS or (found[1] and not unclosed[name]):
            continue
        step = -1 if found[1] else 1
        unclosed[name] += step
        now += step
        most = max(most, now)
        if is_repeated(name):
            now_repeated += step
            most_repeated = max(most_repeated, now_repeated)
    return most, most_repeated


async def _read_apart(response: Response, source: str, seconds: float) -> HtmlReading:
    refused = f"its HTML takes more than {seconds:g} s or {_MEMORY_BYTES >> 30} GiB to read"
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(math.ceil(seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(seconds):
            written, _ = await child.communicate(pickle.dumps((response, source)))
    except TimeoutError:
        raise FetchRefused("unreadable", response.url, refused) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise FetchRefused("unreadable", response.url, refused)
    reading: HtmlReading = pickle.loads(written)  # noqa: S301 - written by guardian itself
    seen = [replace(one, page=response) if isinstance(one, Sighting) else one for one in reading.seen]
    return replace(reading, seen=seen)


def _main() -> None:
    """Read the page that stands on standard input, and write what it holds."""
    seconds = int(sys.argv[1])
    # A parent that was killed must not leave it behind.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    response, source = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by guardian itself
    reading = read_html(response, source)
    # The page itself need not travel back with each of its pictures.
    seen = [replace(one, page=None) if isinstance(one, Sighting) else one for one in reading.seen]
    sys.stdout.buffer.write(pickle.dumps(replace(reading, seen=seen)))


if __name__ == "__main__":
    _main()
