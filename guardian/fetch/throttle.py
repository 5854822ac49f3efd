"""Limits how often, and by how many requests at a time, a host is asked. One `Throttle` serves all scans."""

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from guardian.errors import FetchRefused
from guardian.fetch.settings import FetchSettings
from guardian.model import SkipReason

_HOSTS_REMEMBERED = 20_000
LONGEST_PAUSE = timedelta(days=1)
"""The longest pause that is granted to a host; a longer Retry-After may be a mistake."""

_SLOWEST = 16.0
"""The largest factor by which the delay of an overloaded host is multiplied."""

_RECOVERY = 0.9
"""The factor is multiplied by this at each answer of a host that is not overloaded any more."""

_LONGEST_SLEEP_SECONDS = 60
"""The longest sleep before the wall clock is read again, since somebody may have set it."""

_BLOCKS_A_DAY = 50
"""The requests of a day are taken in this many blocks. Each costs one write to disk, and is lost with the process."""

Take = Callable[[str, date, int, int], Awaitable[int]]
"""take(host, day, number, most) grants up to `number` more requests, `most` in a day, and returns how many."""

log = structlog.get_logger(__name__)


class InMemory:
    """Counts the requests of a day in memory, for one process alone."""

    def __init__(self) -> None:
        self._taken = Counter[tuple[str, date]]()

    async def take(self, host: str, day: date, number: int, most: int) -> int:
        """Return how many of `number` more requests to a host are granted, `most` in a day."""
        granted = max(0, min(number, most - self._taken[host, day]))
        self._taken[host, day] += granted
        return granted


@dataclass(slots=True)
class _Host:
    """The state of one host. Times are of the event loop's clock, in seconds.

    `left` requests may be sent before another block of the `day` is taken; `waiting` visits use this state.
    """

    turns: asyncio.Semaphore
    next_at: float = 0.0
    day: date | None = None
    left: int = 0
    closed_until: float = 0.0
    slowness: float = 1.0
    waiting: int = 0


class Throttle:
    """Makes visits wait for their turn. All scans share it, so that two sources on one host do not double its load.

    `take` counts the requests of a day (UTC) where other and later processes see it; by default in memory.
    """

    def __init__(self, settings: FetchSettings, clock: Callable[[], datetime], take: Take | None = None) -> None:
        self._settings, self._clock = settings, clock
        self._take = take or InMemory().take
        self._has_said_hours = False
        self._all = asyncio.Semaphore(settings.requests_at_once)
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    async def working_hours(self) -> None:
        """Wait until the hours begin in which scans may send requests, by the wall clock."""
        hours = self._settings.hours
        while hours is not None and (left := hours.until_open(self._clock())):
            if not self._has_said_hours:
                log.warning("waiting_for_hours", hours=str(hours), minutes=round(left.total_seconds() / 60))
                self._has_said_hours = True
            await asyncio.sleep(min(left.total_seconds(), _LONGEST_SLEEP_SECONDS))
        self._has_said_hours = False

    @contextlib.asynccontextmanager
    async def turn(self, host: str, url: str, delay: timedelta | None) -> AsyncIterator[None]:
        """Wait until a host may be asked, and count as one of its requests while the body runs.

        `delay` is the least time since the last request to the host. None waits for no delay and counts against no
        budget, since a person waits. Raises FetchRefused (host_busy, budget).
        """
        known = self._host(host)
        known.waiting += 1
        try:
            async with known.turns:
                if delay is not None:
                    await self._spend(known, url, host)
                while True:
                    await self._wait(known, url, host, is_paced=delay is not None)
                    async with self._all:
                        if self._left(known, is_paced=delay is not None) > 0:
                            # While this one waited for the others, another request to the host began.
                            continue
                        if delay is not None:
                            now = asyncio.get_running_loop().time()
                            known.next_at = now + delay.total_seconds() * known.slowness
                        yield
                        return
        finally:
            known.waiting -= 1

    def slow_down(self, host: str, pause: timedelta) -> None:
        """Leave an overloaded host alone for a while, and double its delay afterwards, up to a bound."""
        known = self._host(host)
        known.closed_until = max(known.closed_until, asyncio.get_running_loop().time() + pause.total_seconds())
        known.slowness = min(known.slowness * 2, _SLOWEST)

    def speed_up(self, host: str) -> None:
        """Note that a host answered as usual, which brings its delay back little by little."""
        known = self._host(host)
        if known.slowness > 1:
            known.slowness = max(1.0, known.slowness * _RECOVERY)

    async def _wait(self, known: _Host, url: str, host: str, is_paced: bool) -> None:
        """Sleep until a host's next turn. Raises FetchRefused (host_busy) when it asked for too long a pause."""
        # In a loop: while this one slept, an answer to another request may have asked for a longer pause.
        while (left := self._left(known, is_paced)) > 0:
            closed_for = known.closed_until - asyncio.get_running_loop().time()
            if closed_for > self._settings.max_retry_after.total_seconds():
                raise FetchRefused(SkipReason.HOST_BUSY, url, f"{host} asked for a pause of {closed_for:.0f} s")
            await asyncio.sleep(left)

    def _left(self, known: _Host, is_paced: bool) -> float:
        """Return the seconds until a host may be asked."""
        now = asyncio.get_running_loop().time()
        return max(known.closed_until - now, known.next_at - now if is_paced else 0.0)

    async def _spend(self, known: _Host, url: str, host: str) -> None:
        """Count one request against the host's budget of the day. Raises FetchRefused (budget) when it is used up."""
        today, most = self._clock().date(), self._settings.requests_per_host_and_day
        if known.day != today:
            known.day, known.left = today, 0
        if not known.left:
            known.left += await self._take(host, today, max(1, most // _BLOCKS_A_DAY), most)
        if not known.left:
            raise FetchRefused(SkipReason.BUDGET, url, f"{host} has been asked {most} times today")
        known.left -= 1

    def _host(self, host: str) -> _Host:
        known = self._hosts.get(host)
        if known is None:
            known = self._hosts[host] = _Host(asyncio.Semaphore(self._settings.requests_per_host))
            self._forget_some()
        self._hosts.move_to_end(host)
        return known

    def _forget_some(self) -> None:
        """Drop the hosts that were used least recently, when there are too many; never one that is being waited for."""
        if len(self._hosts) <= _HOSTS_REMEMBERED:
            return
        # A tenth at once, so that a crawl over ever new hosts does not pay for this at each of them.
        for name, host in list(self._hosts.items())[: _HOSTS_REMEMBERED // 10]:
            if not host.waiting:
                del self._hosts[name]
