"""`guardian run`: schedule, scans, deliveries and the web pages, started and stopped together.

One configuration is one shift; SIGHUP begins the next shift if the new configuration is good, SIGTERM
ends the last one within the grace period. A failing image, task or source never stops the rest.
"""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from guardian.answers import Answer, Outcome
from guardian.config import Config, load_config, require_contact
from guardian.delivery import deliver_due
from guardian.errors import ConfigError, GuardianError
from guardian.model import Omission, Scan
from guardian.pipeline import scan
from guardian.rooms import Rooms, opened_rooms, utc_now
from guardian.sources import SourceSettings, open_source
from guardian.store import hold
from guardian.web.app import build_app
from guardian.web.metrics import Metrics

DELIVERY_PAUSE = timedelta(seconds=2)

log = structlog.get_logger(__name__)
Listener = Callable[[Answer | Omission], None]


async def run(config_path: Path) -> None:
    """Work until SIGTERM or SIGINT; reread the configuration at SIGHUP and keep the old one if it is wrong."""
    config = load_config(config_path)
    require_contact(config)
    wishes = _Wishes()
    with hold(config.data_dir, "run"), wishes.heard():
        next_config: Config | None = config
        while next_config is not None:
            config = next_config
            async with opened_rooms(config) as rooms:
                await rooms.catalog.repair()
                shift = _Shift(rooms)
                async with shift.working():
                    next_config = await _next_config(config_path, config, wishes)


async def scan_source(rooms: Rooms, settings: SourceSettings, listener: Listener) -> Scan:
    """One pass over a source with its row in the scans table; an unexpected end is recorded and raised."""
    clock = rooms.walk.clock
    counts: Counter[str] = Counter()
    with rooms.store.begin() as tx:
        row = tx.scans.start(settings.name, clock())

    def end(outcome: str, error: str | None = None) -> Scan:
        with rooms.store.begin() as tx:
            return tx.scans.end(row.id, clock(), outcome, dict(counts), error)

    try:
        async for result in scan(rooms.walk, open_source(settings)):
            counts.update(words_for(result))
            listener(result)
    except asyncio.CancelledError:
        end("interrupted")
        raise
    except Exception as error:
        end("failed", str(error) or repr(error))
        raise
    return end("completed")


def words_for(result: Answer | Omission) -> list[str]:
    """Under which words one result is counted: what was found, and why anything was left out."""
    if isinstance(result, Omission):
        return [f"left out: {result.reason}"]
    words = [result.outcome.value]
    if result.problem is not None:
        words.append(f"problem: {result.problem.reason}")
    return words


async def deliver_all_due(rooms: Rooms) -> None:
    """Send until nothing is due any more; what must be tried again later stays for the next run."""
    while (await deliver_due(rooms.store, rooms.delivery, rooms.walk.clock)).attempted:
        pass


async def run_once(rooms: Rooms, listener: Listener) -> list[Scan | GuardianError]:
    """Scan every source once, side by side, then finish all due tasks. A failing source is its own answer."""

    async def one(settings: SourceSettings) -> Scan | GuardianError:
        try:
            return await scan_source(rooms, settings, listener)
        except GuardianError as error:
            log.error("scan_failed", source=settings.name, reason=str(error))
            return error

    ended = await asyncio.gather(*(one(settings) for settings in rooms.config.sources))
    await deliver_all_due(rooms)
    return ended


class _Wishes:
    """What the operator asked for by signal: stop, or reread the configuration."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.stop = self.reload = False

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Listen to SIGTERM, SIGINT and SIGHUP while the body runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._wish, "stop")
        loop.add_signal_handler(signal.SIGHUP, self._wish, "reload")
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _wish(self, name: str) -> None:
        setattr(self, name, True)
        self.changed.set()


async def _next_config(config_path: Path, current: Config, wishes: _Wishes) -> Config | None:
    """Wait for a signal. None ends the daemon; a wrong or unmovable configuration is said and passed over."""
    while True:
        await wishes.changed.wait()
        wishes.changed.clear()
        if wishes.stop:
            return None
        try:
            config = load_config(config_path)
            require_contact(config)
            check_rules(config)
            if config.data_dir != current.data_dir:
                raise ConfigError("data_dir changed: this needs a restart", file=config_path)
        except ConfigError as error:
            log.error("reload_refused", reason=str(error), going_on_with="the configuration before")
            continue
        log.info("reloaded", config=str(config_path))
        return config


class _Shift:
    """One stretch of work under one configuration: schedule, deliveries and the web server."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._metrics = Metrics(rooms.store, rooms.walk.clock)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scans: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the body waits; at its end finish what is in flight within the grace period."""
        server = _Server(self._rooms.config.web.listen, build_app(self._metrics, self._problems))
        tasks = [asyncio.create_task(self._deliver_forever()), asyncio.create_task(server.serve())]
        self._schedule()
        self._scheduler.start()
        log.info("started", sources=len(self._rooms.config.sources), listen=str(self._rooms.config.web.listen))
        try:
            yield
        finally:
            log.info("stopping", scans_in_flight=len(self._scans))
            self._scheduler.shutdown(wait=False)
            await self._let_finish()
            server.should_exit = True
            tasks[0].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            log.info("stopped")

    def _schedule(self) -> None:
        """Give every source its trigger. What is due follows from the configuration and the last scan."""
        now = self._rooms.walk.clock()
        for settings in self._rooms.config.sources:
            trigger = trigger_of(settings)
            self._scheduler.add_job(
                self._scan,
                trigger,
                args=[settings],
                id=settings.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=first_due(trigger, self._last_started(settings.name), now),
            )

    def _last_started(self, source: str) -> datetime | None:
        with self._rooms.store.begin() as tx:
            last = tx.scans.last(source)
        return last.started_at if last and last.outcome == "completed" else None

    async def _scan(self, settings: SourceSettings) -> None:
        """The supervision point of one source: whatever happens, the other sources go on."""
        task = asyncio.current_task()
        assert task is not None
        self._scans.add(task)
        try:
            scan_row = await scan_source(self._rooms, settings, lambda result: self._metrics.count(settings.name, result))
            log.info("scanned", source=settings.name, **{key.replace(" ", "_"): n for key, n in scan_row.counts.items()})
        except Exception:
            log.exception("scan_failed", source=settings.name)
            self._metrics.count_failure("scan")
        finally:
            self._scans.discard(task)

    async def _deliver_forever(self) -> None:
        """The supervision point of deliveries: an error is logged, the tasks stay due, the loop goes on."""
        while True:
            try:
                counts = await deliver_due(self._rooms.store, self._rooms.delivery, self._rooms.walk.clock)
                self._metrics.count_deliveries(counts)
            except Exception:
                log.exception("deliveries_failed")
                self._metrics.count_failure("deliveries")
            await asyncio.sleep(DELIVERY_PAUSE.total_seconds())

    async def _let_finish(self) -> None:
        """Wait for scans in flight, then cut them off: what they had not reached is due again."""
        if not self._scans:
            return
        _, late = await asyncio.wait(self._scans, timeout=self._rooms.config.schedule.grace_period.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _problems(self) -> dict[str, str]:
        """Why guardian could not work right now, by room; asked by /ready."""
        problems = {}
        try:
            with self._rooms.store.begin() as tx:
                tx.assets.count()
        except GuardianError as error:
            problems["store"] = str(error)
        if not self._scheduler.running:
            problems["schedule"] = "not running"
        return problems


def trigger_of(settings: SourceSettings) -> BaseTrigger:
    """APScheduler's trigger for a source: its cron line, or its interval with jitter."""
    jitter = int(settings.jitter.total_seconds()) or None
    if settings.cron is not None:
        return CronTrigger.from_crontab(settings.cron, timezone="UTC")
    return IntervalTrigger(seconds=int(settings.every.total_seconds()), jitter=jitter)


def first_due(trigger: BaseTrigger, last_started: datetime | None, now: datetime) -> datetime:
    """When a source is first due after a start: at once if never scanned or overdue.

    A last scan in the future means that the clock was turned back; it counts as never.
    """
    if last_started is None or last_started > now:
        return now
    planned: datetime | None = trigger.get_next_fire_time(last_started, last_started)
    return max(planned, now) if planned else now


class _Server(uvicorn.Server):
    """uvicorn inside the daemon's own loop, which already hears the signals itself."""

    def __init__(self, listen: str, app: Starlette) -> None:
        host, _, port = listen.rpartition(":")
        super().__init__(uvicorn.Config(app, host=host.strip("[]"), port=int(port), log_config=None, lifespan="off"))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the daemon."""
        yield
