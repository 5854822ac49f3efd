"""When each source is due: its interval or cron line, its last scan, and a clock that may jump.

APScheduler only says "this source is due"; what is due follows from the configuration and the last scan.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from guardian.sources.rhythm import next_time
from guardian.sources.settings import SourceSettings

LARGEST_DRIFT = timedelta(minutes=1)
"""A clock that is put right moves less than this; one that jumps moves more."""

Begin = Callable[[SourceSettings], Awaitable[None]]
LastStart = Callable[[str], datetime | None]

log = structlog.get_logger(__name__)


class _Executor(AsyncIOExecutor):  # type: ignore[misc]
    """Runs jobs in the event loop, and cancels none of them when the scheduler stops.

    APScheduler's own cancels all, and logs an error with a traceback for each that had not begun yet.
    """

    def shutdown(self, wait: bool = True) -> None:
        """Leave the jobs alone: `Schedule` begins nothing once it is stopped, and what has begun goes on."""


class Schedule:
    """Calls `begin` with each source when it is due, never twice at once for one source. Needs a running event loop.

    `last_started` gives the start of a source's last complete scan. `steady` counts seconds and never jumps.
    """

    def __init__(
        self,
        sources: Sequence[SourceSettings],
        begin: Begin,
        last_started: LastStart,
        clock: Callable[[], datetime],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources, self._begin, self._last_started = sources, begin, last_started
        self._clock, self._steady = clock, steady
        self._scheduler = AsyncIOScheduler(timezone="UTC", executors={"default": _Executor()})
        self._scheduler.add_listener(_tell_of_passed_over, EVENT_JOB_MAX_INSTANCES)
        self._offset = self._measured_offset()
        self._is_stopped = False

    @property
    def running(self) -> bool:
        return bool(self._scheduler.running)

    def start(self) -> None:
        """Give every source its trigger, and begin with those that are due."""
        for settings in self._sources:
            trigger = trigger_of(settings)
            self._scheduler.add_job(
                self._begin_unless_stopped,
                trigger,
                args=[settings],
                id=settings.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=self._first_due(settings, trigger),
            )
        self._scheduler.start()

    def begin_now(self, name: str) -> None:
        """Begin a source as soon as can be, whatever its plan was."""
        self._plan(name, self._clock())

    def put_off(self, settings: SourceSettings) -> None:
        """Plan a source that another process has scanned for when it is due again. One that is due stays as planned."""
        due = self._first_due(settings, trigger_of(settings))
        if due > self._clock():
            self._plan(settings.name, due)

    def stop(self) -> None:
        """Begin nothing any more. What has begun goes on."""
        # APScheduler itself stops at a later step of the event loop.
        self._is_stopped = True
        self._scheduler.shutdown(wait=False)

    def follow_clock(self) -> timedelta:
        """Call it now and then: how far the clock has jumped since. If it has, it is worked out anew what is due.

        A clock that is turned back by a year would else keep every source waiting for a year, and a machine that
        slept would begin its scans late by the time it slept.
        """
        offset = self._measured_offset()
        jump = timedelta(seconds=offset - self._offset)
        self._offset = offset
        if abs(jump) <= LARGEST_DRIFT:
            return timedelta()
        for settings in self._sources:
            due = self._first_due(settings, trigger_of(settings))
            self._plan(settings.name, due)
        return jump

    def _plan(self, name: str, at: datetime) -> None:
        # A scan that outlives the schedule may still ask for a place in it. APScheduler has forgotten its job by then.
        if not self._is_stopped:
            self._scheduler.modify_job(name, next_run_time=at)

    async def _begin_unless_stopped(self, settings: SourceSettings) -> None:
        # It may have been stopped after APScheduler handed this job to the event loop, and before its first step.
        if not self._is_stopped:
            await self._begin(settings)

    def _first_due(self, settings: SourceSettings, trigger: BaseTrigger) -> datetime:
        return first_due(trigger, self._last_started(settings.name), self._clock())

    def _measured_offset(self) -> float:
        return self._clock().timestamp() - self._steady()


def _tell_of_passed_over(event: JobSubmissionEvent) -> None:
    log.warning("scan_takes_longer_than_its_interval", source=event.job_id)


class _CronTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at the times of a source's cron line. APScheduler's own counts weekdays from Monday and knows no "or"."""

    def __init__(self, settings: SourceSettings, jitter: int | None) -> None:
        self._settings, self._jitter = settings, jitter

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the first time after the previous one, or after now if there was none; jitter only delays it."""
        planned = next_time(self._settings, previous_fire_time or now)
        delayed: datetime | None = self._apply_jitter(planned, self._jitter, now)
        return delayed


def trigger_of(settings: SourceSettings) -> BaseTrigger:
    """Return APScheduler's trigger for a source: its cron line or its interval, with the source's jitter."""
    jitter = int(settings.jitter.total_seconds()) or None
    if settings.cron is not None:
        return _CronTrigger(settings, jitter)
    return IntervalTrigger(seconds=max(1, int(settings.every.total_seconds())), timezone="UTC", jitter=jitter)


def first_due(trigger: BaseTrigger, last_started: datetime | None, now: datetime) -> datetime:
    """Return when a source is first due after a start of the daemon: at once if it was never scanned or is overdue.

    A last scan in the future means that the clock was turned back; it counts as never. A little in the future is
    another machine's present.
    """
    if last_started is None or last_started > now + LARGEST_DRIFT:
        return now
    planned: datetime | None = trigger.get_next_fire_time(last_started, last_started)
    return max(planned, now) if planned else now


def is_due(settings: SourceSettings, last_started: datetime, now: datetime) -> bool:
    """Return whether a source is due again, by its interval or cron line alone: jitter only spreads what is planned."""
    trigger = trigger_of(settings.model_copy(update={"jitter": timedelta()}))
    return first_due(trigger, last_started, now) <= now
