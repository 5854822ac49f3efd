"""Obeys robots.txt as RFC 9309 asks: 4xx allows all, 5xx and no answer forbid all; cached for a day at most."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from protego import Protego

from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Response, Scope, SkipReason

MAX_BYTES = 512 * 1024
"""More is not read: RFC 9309 asks for 500 kibibytes at least."""

LEAST_REDIRECTS = 5
"""RFC 9309 asks for as many to be followed, however few a page may have."""

_KEPT = timedelta(hours=24)
_KEPT_AFTER_TROUBLE = timedelta(minutes=10)
_ORIGINS_REMEMBERED = 5_000

_NO_CONNECTION = frozenset([SkipReason.DNS, SkipReason.CONNECT, SkipReason.TLS])

FORBID_ALL = "User-agent: *\nDisallow: /"
_AGENT = re.compile(r"(?:^|(?<=[\r\n]))([ \t]*user-agent[ \t]*:[ \t]*)([\w-]+|\*)?[^\r\n]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Known:
    """The rules of one origin, and the time from which to which they hold."""

    rules: Protego
    until: datetime
    since: datetime
    trouble: FetchFailed | FetchRefused | None = None
    """Why the file could not be read, which forbids all; None when it was."""


class Robots:
    """A cache of the robots.txt files of all origins.

    `read` fetches one, follows redirects, and returns it whatever its status. One that redirects too often counts as
    missing (RFC 9309, 2.3.1.2), like every 3xx and 4xx. `token` is the product token that its groups are matched with.
    """

    def __init__(self, read: Callable[[str], Awaitable[Response]], token: str, clock: Callable[[], datetime]) -> None:
        self._read, self._token, self._clock = read, token, clock
        self._origins: OrderedDict[str, _Known] = OrderedDict()
        self._reading: dict[str, asyncio.Lock] = {}

    async def check(self, url: str) -> timedelta | None:
        """Return the crawl-delay that the site of a URL asks for, at most a day; None when it asks for none.

        Raises FetchRefused (robots, robots_unreachable, private_address, budget, host_busy) when the URL may not be
        crawled, and FetchFailed (dns, connect, tls) when no connection to its host can be made at all.
        """
        known = await self._known_of(url)
        if known.trouble is not None:
            raise _of_url(url, known.trouble)
        if not known.rules.can_fetch(url, self._token):
            raise FetchRefused(SkipReason.ROBOTS, url, "its robots.txt forbids it")

        delay = known.rules.crawl_delay(self._token)
        # Some files say "Crawl-delay: nan", which equals nothing, not even itself.
        if delay is None or delay != delay:
            return None
        return timedelta(seconds=max(0.0, min(float(delay), 86400)))

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that the robots.txt of a URL's origin names, each once. Raises FetchRefused."""
        return tuple(dict.fromkeys((await self._known_of(url)).rules.sitemaps))

    async def _known_of(self, url: str) -> _Known:
        """Return the rules of a URL's origin, fetched when they are not cached. Raises FetchRefused."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        # One lock for each origin: of many visits that begin together one fetches the file.
        lock = self._reading.setdefault(origin, asyncio.Lock())
        try:
            async with lock:
                known, now = self._origins.get(origin), self._clock()
                # A clock that was turned back must not keep an old file for ever.
                if known is None or not known.since <= now < known.until:
                    known = self._origins[origin] = await self._fetched(origin, url)
                    self._origins.move_to_end(origin)
                    # A file costs up to half a megabyte of memory; the origin that was read longest ago goes.
                    if len(self._origins) > _ORIGINS_REMEMBERED:
                        self._origins.popitem(last=False)
                if known.trouble is not None and known.trouble.reason is SkipReason.PRIVATE_ADDRESS:
                    raise _of_url(url, known.trouble)
                return known
        finally:
            if not lock.locked():
                self._reading.pop(origin, None)

    async def _fetched(self, origin: str, url: str) -> _Known:
        """Fetch the robots.txt of an origin and return its rules. Raises FetchRefused for reasons of our own."""
        now = self._clock()
        try:
            response = await self._read(f"{origin}/robots.txt")
        except FetchRefused as error:
            if error.reason.scope is Scope.OURSELVES:
                # The file was not asked for, which says nothing about the site's wishes and is not cached.
                raise FetchRefused(error.reason, url, error.detail) from error
            return _after_trouble(error, now)
        except FetchFailed as error:
            return _after_trouble(error, now)

        if response.status >= 500 or response.status == 429:
            status = f"the site answered {response.status}"
            return _after_trouble(FetchFailed(SkipReason.HTTP_STATUS, url, status, response.status), now)

        # Some editors write a byte order mark first.
        text = response.content[:MAX_BYTES].decode("utf-8-sig", errors="replace") if response.status == 200 else ""
        return _Known(Protego.parse(self._with_exact_names(text)), now + _KEPT, now)

    def _with_exact_names(self, text: str) -> str:
        """Return the text with the groups of other crawlers renamed, and ours and "*" left.

        Protego also matches a group whose name is only a part of ours; RFC 9309 (2.2.1) matches whole names.
        """
        ours, another = self._token.lower(), f"{self._token}-another"

        def renamed(line: re.Match[str]) -> str:
            name = (line[2] or "").lower()
            return line[1] + (name if name in (ours, "*") else another)

        return _AGENT.sub(renamed, text)


def _after_trouble(error: FetchFailed | FetchRefused, now: datetime) -> _Known:
    return _Known(Protego.parse(FORBID_ALL), now + _KEPT_AFTER_TROUBLE, now, error)


def _of_url(url: str, trouble: FetchFailed | FetchRefused) -> FetchFailed | FetchRefused:
    """Return the error for a URL whose robots.txt could not be read.

    A host that cannot be connected to is named as such: a mistyped name forbids nothing.
    """
    if isinstance(trouble, FetchFailed) and trouble.reason in _NO_CONNECTION:
        return FetchFailed(trouble.reason, url, trouble.detail)
    if trouble.reason is SkipReason.PRIVATE_ADDRESS:
        return FetchRefused(SkipReason.PRIVATE_ADDRESS, url, f"its robots.txt: {trouble.detail}")
    detail = f"its robots.txt could not be read, which forbids all: {trouble.detail}"
    return FetchRefused(SkipReason.ROBOTS_UNREACHABLE, url, detail)
