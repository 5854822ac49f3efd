"""When a source is due, and what a clock that jumps does to that."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from guardian.schedule import Schedule, first_due, is_due, trigger_of
from guardian.sources.settings import PageSettings
from guardian.strict_yaml import duration

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def page(**rhythm: object) -> PageSettings:
    return PageSettings.model_validate({"name": "one", "kind": "page", "url": "https://a.example/", **rhythm})


def test_a_source_never_scanned_is_due_at_once() -> None:
    assert first_due(trigger_of(page(every="1h")), None, NOW) == NOW


def test_a_source_is_due_an_interval_after_its_last_scan() -> None:
    trigger = trigger_of(page(every="1h"))
    assert first_due(trigger, NOW - timedelta(minutes=20), NOW) == NOW + timedelta(minutes=40)


def test_what_was_missed_while_the_daemon_was_down_is_due_at_once_and_once() -> None:
    assert first_due(trigger_of(page(every="1h")), NOW - timedelta(days=3), NOW) == NOW


def test_a_clock_turned_back_does_not_silence_a_source() -> None:
    assert first_due(trigger_of(page(every="1h")), NOW + timedelta(days=30), NOW) == NOW


def test_another_machines_clock_may_be_a_little_ahead() -> None:
    ahead = NOW + timedelta(seconds=30)
    assert first_due(trigger_of(page(every="1h")), ahead, NOW) == ahead + timedelta(hours=1)


@pytest.mark.parametrize(("minutes", "due"), [(59, False), (60, True), (90, True)])
def test_a_source_that_another_process_scanned_is_due_after_its_interval_whatever_its_jitter(
    minutes: int, due: bool
) -> None:
    settings = page(every="1h", jitter="30m")
    assert {is_due(settings, NOW - timedelta(minutes=minutes), NOW) for _ in range(20)} == {due}


def test_cron_lines_are_read_in_utc() -> None:
    trigger = trigger_of(page(cron="30 3 * * *"))
    due = first_due(trigger, NOW - timedelta(hours=1), NOW)
    assert due == datetime(2026, 11, 25, 3, 30, tzinfo=UTC)


def test_cron_counts_days_as_cron_does_and_in_the_zone_of_the_source() -> None:
    trigger = trigger_of(page(cron="0 3 * * 1-5", timezone="Europe/Berlin"))
    friday = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert first_due(trigger, friday, friday) == datetime(2026, 11, 30, 2, 0, tzinfo=UTC), "Monday"
    sunday = trigger_of(page(cron="0 3 * * 7"))
    assert first_due(sunday, friday, friday) == datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
    assert sunday.get_next_fire_time(None, friday) == datetime(2026, 11, 29, 3, 0, tzinfo=UTC)


def test_jitter_delays_a_cron_line_too() -> None:
    trigger = trigger_of(page(cron="0 3 * * *", jitter="10m"))
    three = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    assert all(three <= trigger.get_next_fire_time(NOW, NOW) <= three + timedelta(minutes=10) for _ in range(20))


@pytest.mark.parametrize("seconds", [0, 90])
def test_jitter_only_delays(seconds: int) -> None:
    settings = page(every="1h", jitter=f"{seconds}s")
    assert settings.jitter == duration(f"{seconds}s")
    trigger = trigger_of(settings)
    planned = [trigger.get_next_fire_time(NOW, NOW) for _ in range(40)]
    assert all(timedelta(hours=1) <= at - NOW <= timedelta(hours=1, seconds=seconds) for at in planned)


class Clocks:
    """A wall clock that can be set, and a steady one that cannot."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def steady(self) -> float:
        return datetime.now(UTC).timestamp()


def scheduled(
    clocks: Clocks, last_started: datetime | None, body: Callable[[Schedule, "asyncio.Queue[str]"], Awaitable[None]]
) -> None:
    """Run `body` beside a schedule of one hourly source; the queue gets its name whenever it is begun."""

    async def run() -> None:
        begun: asyncio.Queue[str] = asyncio.Queue()

        async def begin(settings: object) -> None:
            await begun.put(str(getattr(settings, "name", None)))

        schedule = Schedule([page(every="1h")], begin, lambda _: last_started, clocks.wall, clocks.steady)
        assert not schedule.running
        schedule.start()
        assert schedule.running
        try:
            await body(schedule, begun)
        finally:
            schedule.stop()

    asyncio.run(run())


def test_a_scan_that_takes_longer_than_its_interval_is_passed_over_and_named() -> None:
    async def run() -> None:
        begun, told, loop = [], asyncio.Event(), asyncio.get_running_loop()

        def note(_: object, __: str, event: MutableMapping[str, Any]) -> str:
            assert (event["event"], event["source"]) == ("scan_takes_longer_than_its_interval", "one")
            loop.call_soon_threadsafe(told.set)
            raise structlog.DropEvent

        async def begin(settings: object) -> None:
            begun.append(settings)
            await asyncio.Event().wait()

        structlog.configure(processors=[note])
        schedule = Schedule([page(every="1s")], begin, lambda _: None, Clocks().wall)
        schedule.start()
        try:
            await asyncio.wait_for(told.wait(), 60)
        finally:
            schedule.stop()
            structlog.reset_defaults()
        assert len(begun) == 1

    asyncio.run(run())


def test_a_source_never_scanned_is_begun_at_the_start() -> None:
    async def body(_: Schedule, begun: "asyncio.Queue[str]") -> None:
        assert await asyncio.wait_for(begun.get(), 60) == "one"

    scheduled(Clocks(), None, body)


@pytest.mark.parametrize("steps", range(8))
def test_a_stop_just_after_the_start_begins_nothing_later_and_logs_no_error(
    steps: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        begun: list[object] = []
        schedule = Schedule([page(every="1h")], _noting(begun), lambda _: None, Clocks().wall)
        schedule.start()
        for _ in range(steps):
            await asyncio.sleep(0)
        schedule.stop()
        before = list(begun)
        for _ in range(20):
            await asyncio.sleep(0)
        assert begun == before

    asyncio.run(run())
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def _noting(begun: list[object]) -> Callable[[object], Awaitable[None]]:
    async def begin(settings: object) -> None:
        begun.append(settings)

    return begin


def test_a_clock_turned_back_while_the_daemon_runs_silences_no_source() -> None:
    clocks = Clocks()

    async def body(schedule: Schedule, begun: "asyncio.Queue[str]") -> None:
        assert not schedule.follow_clock()
        assert begun.empty(), "it was scanned a moment ago"
        clocks.ahead = timedelta(days=-400)
        assert schedule.follow_clock() < timedelta(days=-399)
        assert await asyncio.wait_for(begun.get(), 60) == "one"
        assert not schedule.follow_clock(), "told once"

    scheduled(clocks, datetime.now(UTC), body)


def test_a_source_is_begun_at_once_when_asked_and_put_off_when_another_has_scanned_it() -> None:
    async def body(schedule: Schedule, begun: "asyncio.Queue[str]") -> None:
        assert begun.empty(), "it was scanned a moment ago"
        schedule.begin_now("one")
        assert await asyncio.wait_for(begun.get(), 60) == "one"
        schedule.put_off(page(every="1h"))
        assert begun.empty()

    scheduled(Clocks(), datetime.now(UTC), body)


def test_nothing_is_planned_once_it_is_stopped() -> None:
    async def run() -> None:
        begun: list[object] = []
        schedule = Schedule([page(every="1h")], _noting(begun), lambda _: datetime.now(UTC), Clocks().wall)
        schedule.start()
        schedule.stop()
        # APScheduler forgets its jobs when it stops, which takes it a step of the event loop.
        await asyncio.sleep(0)
        assert not schedule.running
        schedule.put_off(page(every="1h"))
        schedule.begin_now("one")
        assert begun == []

    asyncio.run(run())


def test_a_jump_forward_is_noticed_too() -> None:
    clocks = Clocks()

    async def body(schedule: Schedule, _: "asyncio.Queue[str]") -> None:
        clocks.ahead = timedelta(hours=2)
        assert schedule.follow_clock() > timedelta(hours=1)
        assert not schedule.follow_clock()

    scheduled(clocks, datetime.now(UTC), body)


def test_a_clock_that_is_put_right_by_seconds_changes_nothing() -> None:
    clocks = Clocks()

    async def body(schedule: Schedule, begun: "asyncio.Queue[str]") -> None:
        clocks.ahead = timedelta(seconds=-20)
        assert not schedule.follow_clock()
        assert begun.empty()

    scheduled(clocks, datetime.now(UTC) - timedelta(seconds=60), body)
