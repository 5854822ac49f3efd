"""Plans scans: each source is due by its interval or cron line after its last scan, even when the clock jumps.

APScheduler only keeps the time. What is due follows from the configuration and the scans in the database.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from guardian.sources.settings import SourceSettings

LARGEST_DRIFT = timedelta(minutes=1)
"""A clock that is put right moves less than this; one that jumps moves more."""

Begin = Callable[[SourceSettings], Awaitable[None]]
LastStart = Callable[[str], datetime | None]

log = structlog.get_logger(__name__)


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
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_listener(_tell_of_passed_over, EVENT_JOB_MAX_INSTANCES)
        self._offset = self._measured_offset()

    @property
    def running(self) -> bool:
        """Whether scans begin when they are due: after `start`, before `stop`."""
        return bool(self._scheduler.running)

    def start(self) -> None:
        """Plan every source; those that are due begin at once."""
        for settings in self._sources:
            trigger = trigger_of(settings)
            self._scheduler.add_job(
                self._begin,
                trigger,
                args=[settings],
                id=settings.name,
                max_instances=1,
                # A scan that should have begun while the machine slept begins late, and once.
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=self._first_due(settings, trigger),
            )
        self._scheduler.start()

    def begin_now(self, name: str) -> None:
        """Begin a source as soon as possible, whenever it was planned for."""
        self._scheduler.modify_job(name, next_run_time=self._clock())

    def put_off(self, settings: SourceSettings) -> None:
        """Plan a source that another process has scanned for its next time; leave one that is due as it is."""
        due = self._first_due(settings, trigger_of(settings))
        if due > self._clock():
            self._scheduler.modify_job(settings.name, next_run_time=due)

    def stop(self) -> None:
        """Begin no more scans. Those that have begun go on."""
        self._scheduler.shutdown(wait=False)

    def follow_clock(self) -> bool:
        """Return whether the clock has jumped since the last call; if so, plan every source anew. Call it regularly.

        Otherwise a clock that is set back by a year would keep every source waiting for a year, and a machine that
        slept would begin its scans late by the time it slept.
        """
        offset = self._measured_offset()
        jumped = abs(offset - self._offset) > LARGEST_DRIFT.total_seconds()
        self._offset = offset
        if jumped:
            for settings in self._sources:
                due = self._first_due(settings, trigger_of(settings))
                self._scheduler.modify_job(settings.name, next_run_time=due)
        return jumped

    def _first_due(self, settings: SourceSettings, trigger: BaseTrigger) -> datetime:
        """Return when a source is due by the scans in the database."""
        return first_due(trigger, self._last_started(settings.name), self._clock())

    def _measured_offset(self) -> float:
        """Return the wall clock minus the monotonic clock, in seconds; it changes only when the wall clock is set."""
        return self._clock().timestamp() - self._steady()


def _tell_of_passed_over(event: JobSubmissionEvent) -> None:
    log.warning("scan_takes_longer_than_its_interval", source=event.job_id)


def trigger_of(settings: SourceSettings) -> BaseTrigger:
    """Return APScheduler's trigger for a source: its cron line (UTC), or its interval; both with its jitter."""
    jitter = int(settings.jitter.total_seconds()) or None
    if settings.cron is not None:
        # Not CronTrigger.from_crontab, which takes no jitter.
        minute, hour, day, month, weekday = settings.cron.split()
        return CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone="UTC", jitter=jitter
        )
    return IntervalTrigger(seconds=max(1, int(settings.every.total_seconds())), timezone="UTC", jitter=jitter)


def first_due(trigger: BaseTrigger, last_started: datetime | None, now: datetime) -> datetime:
    """Return when a source is first due after a start: `now` if it was never scanned or is overdue.

    A last scan in the future means that the clock was set back, and counts as never. Up to LARGEST_DRIFT in the
    future it comes from another machine, whose clock is a little ahead.
    """
    if last_started is None or last_started > now + LARGEST_DRIFT:
        return now
    planned: datetime | None = trigger.get_next_fire_time(last_started, last_started)
    return max(planned, now) if planned else now


def is_due(settings: SourceSettings, last_started: datetime, now: datetime) -> bool:
    """Return whether a source is due again, by its interval or cron line alone: jitter only spreads what is planned."""
    trigger = trigger_of(settings.model_copy(update={"jitter": timedelta()}))
    return first_due(trigger, last_started, now) <= now
