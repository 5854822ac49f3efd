"""Politeness, on a clock that jumps to the next waiting task instead of sleeping."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guardian.errors import FetchRefused
from guardian.fetch.throttle import InMemory, Throttle

SECOND = timedelta(seconds=1)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "http://site.example/"


class JumpingClock(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when everybody sleeps, and then at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        loop = self

        class Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
            def select(self, timeout: float | None = None) -> Any:
                if timeout:
                    loop.now += timeout
                return super().select(0)

        super().__init__(Selector())

    def time(self) -> float:
        return self.now


def run(work: Awaitable[Any]) -> Any:
    async def go() -> Any:
        return await work

    with asyncio.Runner(loop_factory=JumpingClock) as runner:
        return runner.run(go())


async def context(pace: Throttle, host: str, delay: timedelta | None, length: float = 0.0) -> float:
    """One request of this length; returns when it began."""
    async with pace.turn(host, URL, delay):
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(length)
        return began - 1000


def test_requests_to_one_host_begin_a_pause_apart_however_short_they_are(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(), clock=lambda: datetime.now(UTC))
        return sorted(await asyncio.gather(*(context(pace, "a", 2 * SECOND) for _ in range(4))))

    assert run(go()) == pytest.approx([0, 2, 4, 6])


def test_long_requests_are_limited_by_number(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(requests_per_host=2), clock=lambda: datetime.now(UTC))
        return sorted(await asyncio.gather(*(context(pace, "a", SECOND, length=10) for _ in range(4))))

    assert run(go()) == pytest.approx([0, 1, 10, 11])


def test_hosts_do_not_wait_for_each_other(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(), clock=lambda: datetime.now(UTC))
        return await asyncio.gather(*(context(pace, host, 9 * SECOND) for host in "abc"))

    assert run(go()) == pytest.approx([0, 0, 0])


def test_all_hosts_together_have_a_limit_too(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(requests_at_once=2), clock=lambda: datetime.now(UTC))
        return sorted(await asyncio.gather(*(context(pace, host, SECOND, length=5) for host in "abcd")))

    assert run(go()) == pytest.approx([0, 0, 5, 5])


def test_a_person_does_not_wait_but_neither_does_the_next_scan_hurry(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(), clock=lambda: datetime.now(UTC))
        return [await context(pace, "a", delay) for delay in (5 * SECOND, None, None, 5 * SECOND)]

    assert run(go()) == pytest.approx([0, 0, 0, 5])


def test_a_host_with_too_much_to_do_is_left_alone_even_by_those_who_wait_already(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(), clock=lambda: datetime.now(UTC))
        first = await context(pace, "a", SECOND)
        waiting = asyncio.ensure_future(context(pace, "a", SECOND))
        await asyncio.sleep(0.5)
        pace.slow_down("a", 30 * SECOND)
        return [first, await waiting, await context(pace, "b", SECOND), await context(pace, "a", None)]

    assert run(go()) == pytest.approx([0, 30.5, 30.5, 30.5])


def test_it_is_asked_less_often_afterwards_and_recovers(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(), clock=lambda: datetime.now(UTC))
        for _ in range(2):
            pace.slow_down("a", timedelta())
        slow = [await context(pace, "a", SECOND) for _ in range(3)]
        for _ in range(100):
            pace.speed_up("a")
        await asyncio.sleep(10)
        usual = [await context(pace, "a", SECOND) for _ in range(3)]
        return [slow[1] - slow[0], slow[2] - slow[1], usual[1] - usual[0], usual[2] - usual[1]]

    assert run(go()) == pytest.approx([4, 4, 1, 1])


def test_a_pause_that_is_too_long_is_refused_until_it_is_nearly_over(settings: Callable[..., Any]) -> None:
    async def go() -> float:
        pace = Throttle(settings(max_retry_after=120 * SECOND), clock=lambda: datetime.now(UTC))
        pace.slow_down("a", 600 * SECOND)
        for delay in (SECOND, None):
            with pytest.raises(FetchRefused) as refused:
                await context(pace, "a", delay)
            assert (refused.value.reason, refused.value.url) == ("host_busy", URL)
        await asyncio.sleep(500)
        return await context(pace, "a", SECOND)

    assert run(go()) == pytest.approx(600)


def test_who_waits_for_a_place_among_all_keeps_the_hosts_pause(settings: Callable[..., Any]) -> None:
    async def go() -> list[float]:
        pace = Throttle(settings(requests_at_once=1, requests_per_host=4), clock=lambda: datetime.now(UTC))
        busy = asyncio.ensure_future(context(pace, "b", None, length=30))
        await asyncio.sleep(0)
        began = await asyncio.gather(*(context(pace, "a", 5 * SECOND) for _ in range(4)))
        await busy
        return sorted(began)

    assert run(go()) == pytest.approx([30, 35, 40, 45])


def passing() -> datetime:
    """A clock for dates that goes with the event loop's."""
    return NOON + timedelta(seconds=asyncio.get_running_loop().time() - 1000)


def test_a_days_budget_is_spent_by_scans_and_given_anew_the_next_day(settings: Callable[..., Any]) -> None:
    async def go() -> None:
        pace = Throttle(settings(requests_per_host_and_day=3), clock=passing)
        for _ in range(3):
            await context(pace, "a", timedelta())
        with pytest.raises(FetchRefused) as refused:
            await context(pace, "a", timedelta())
        assert refused.value.reason == "budget"
        # A person asks for just this page; another host has a budget of its own.
        await context(pace, "a", None)
        await context(pace, "b", timedelta())
        await asyncio.sleep(12 * 3600)
        await context(pace, "a", timedelta())

    run(go())


@pytest.mark.parametrize("most", [3, 1000])
def test_a_restart_does_not_begin_the_day_anew(settings: Callable[..., Any], most: int) -> None:
    async def asked_by(pace: Throttle) -> int:
        for number in range(most + 1):
            try:
                await context(pace, "a", timedelta())
            except FetchRefused:
                return number
        return most + 1

    async def go() -> list[int]:
        kept = InMemory()
        paces = [Throttle(settings(requests_per_host_and_day=most), passing, kept.take) for _ in range(3)]
        first = paces[0]
        await context(first, "a", timedelta())
        return [await asked_by(pace) for pace in paces[1:]]

    # A process that dies takes at most a fiftieth of the day with it.
    assert run(go()) == [most - max(1, most // 50), 0]


def test_who_gives_up_waiting_takes_nobodys_turn(settings: Callable[..., Any]) -> None:
    async def go() -> float:
        pace = Throttle(settings(requests_per_host=1), clock=lambda: datetime.now(UTC))
        await context(pace, "a", 10 * SECOND)
        gone = [asyncio.ensure_future(context(pace, "a", 10 * SECOND)) for _ in range(5)]
        await asyncio.sleep(1)
        for one in gone:
            one.cancel()
        await asyncio.wait(gone)
        return await context(pace, "a", 10 * SECOND)

    assert run(go()) == pytest.approx(10)


def test_hosts_are_forgotten_before_they_fill_the_memory(settings: Callable[..., Any]) -> None:
    async def go() -> int:
        pace = Throttle(settings(), clock=lambda: datetime.now(UTC))
        async with pace.turn("first", URL, SECOND):
            for number in range(25_000):
                await context(pace, f"host-{number}", SECOND)
            # Whoever holds a turn is not forgotten.
            assert "first" in pace._hosts
        return len(pace._hosts)

    assert run(go()) <= 20_001
