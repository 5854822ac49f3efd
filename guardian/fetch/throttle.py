"""Politeness: how often, and how many at a time, one host is asked. One `Throttle` for all scans of a process."""

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
"""Longer wishes of a host are cut to this: what it says may be a mistake."""

_SLOWEST = 16.0
_RECOVERY = 0.9
_LONGEST_SLEEP_SECONDS = 60

_BLOCKS_A_DAY = 50
"""Requests of a day are taken in so many blocks: a block is one note on disk, and lost when a process dies."""

Take = Callable[[str, date, int, int], Awaitable[int]]
"""take(host, day, number, most): up to `number` more requests to a host within the `most` of a day; how many."""

log = structlog.get_logger(__name__)


class InMemory:
    """A count of requests that ends with the process."""

    def __init__(self) -> None:
        self._taken = Counter[tuple[str, date]]()

    async def take(self, host: str, day: date, number: int, most: int) -> int:
        """As many requests as are left."""
        granted = max(0, min(number, most - self._taken[host, day]))
        self._taken[host, day] += granted
        return granted


@dataclass(slots=True)
class _Host:
    """What is remembered of one host. Times are of the event loop's clock, in seconds."""

    turns: asyncio.Semaphore
    next_at: float = 0.0
    day: date | None = None
    left: int = 0
    closed_until: float = 0.0
    slowness: float = 1.0
    waiting: int = 0


class Throttle:
    """Gives turns. All scans share it, so that two sources on one host do not add up.

    `take` counts the requests of a day (UTC): where other processes and later ones see it.
    """

    def __init__(self, settings: FetchSettings, clock: Callable[[], datetime], take: Take | None = None) -> None:
        self._settings, self._clock = settings, clock
        self._take = take or InMemory().take
        self._has_said_hours = False
        self._all = asyncio.Semaphore(settings.requests_at_once)
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    async def working_hours(self) -> None:
        """Wait until scans may ask at all. The wall clock decides, which may be set meanwhile."""
        hours = self._settings.hours
        while hours is not None and (left := hours.until_open(self._clock())):
            if not self._has_said_hours:
                log.warning("waiting_for_hours", hours=str(hours), minutes=round(left.total_seconds() / 60))
                self._has_said_hours = True
            await asyncio.sleep(min(left.total_seconds(), _LONGEST_SLEEP_SECONDS))
        self._has_said_hours = False

    @contextlib.asynccontextmanager
    async def turn(self, host: str, url: str, delay: timedelta | None) -> AsyncIterator[None]:
        """Wait until `host` may be asked, and hold a place while the body runs.

        `delay` since the last request to this host; None asks without a pause (a person waits).
        Raises FetchRefused (host_busy, budget).
        """
        known = self._host(host)
        known.waiting += 1
        try:
            async with known.turns:
                if delay is not None:
                    await self._spend(known, url, host)
                while True:
                    await self._wait(known, url, host, has_time=delay is not None)
                    async with self._all:
                        if self._left(known, has_time=delay is not None) > 0:
                            # While this one waited for a place another request of the host began.
                            continue
                        if delay is not None:
                            now = asyncio.get_running_loop().time()
                            known.next_at = now + delay.total_seconds() * known.slowness
                        yield
                        return
        finally:
            known.waiting -= 1

    def slow_down(self, host: str, pause: timedelta) -> None:
        """Leave a host alone for a while, and ask it less often afterwards: it said that it has too much to do."""
        known = self._host(host)
        known.closed_until = max(known.closed_until, asyncio.get_running_loop().time() + pause.total_seconds())
        known.slowness = min(known.slowness * 2, _SLOWEST)

    def speed_up(self, host: str) -> None:
        """The host answered as usual: come back to the usual pace, little by little."""
        known = self._host(host)
        if known.slowness > 1:
            known.slowness = max(1.0, known.slowness * _RECOVERY)

    async def _wait(self, known: _Host, url: str, host: str, has_time: bool) -> None:
        """Sleep until this host's next turn; another answer meanwhile may have put it off."""
        while (left := self._left(known, has_time)) > 0:
            closed_for = known.closed_until - asyncio.get_running_loop().time()
            if closed_for > self._settings.max_retry_after.total_seconds():
                raise FetchRefused(SkipReason.HOST_BUSY, url, f"{host} asked for a pause of {closed_for:.0f} s")
            await asyncio.sleep(left)

    def _left(self, known: _Host, has_time: bool) -> float:
        """Seconds until this host may be asked."""
        now = asyncio.get_running_loop().time()
        return max(known.closed_until - now, known.next_at - now if has_time else 0.0)

    async def _spend(self, known: _Host, url: str, host: str) -> None:
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
        if len(self._hosts) <= _HOSTS_REMEMBERED:
            return
        for name, host in list(self._hosts.items())[: _HOSTS_REMEMBERED // 10]:
            if not host.waiting:
                del self._hosts[name]
