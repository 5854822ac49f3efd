"""`guardian run`: schedule, scans, deliveries and the web server, started and stopped together.

One configuration is one shift; SIGHUP begins the next shift if the new configuration is good, SIGTERM
ends the last one within the grace period. A failing image, task or source never stops the rest. Several daemons
may share a database: whoever claims a due source scans it, and what a lost one left is taken over.
"""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from guardian.app import (
    App,
    at_work,
    open_rules,
    opened_app,
    opened_delivery,
    prepare,
    prune_old_rows,
    scan_and_mend,
    take_over,
    tell_of_troubled_sources,
)
from guardian.config import Config, load_config, require_contact
from guardian.coverage.coverage import coverages
from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import DeliveryConsumer, deliveries_of
from guardian.errors import ConfigError, GuardianError, SourceClaimed
from guardian.model import Scan, ScanOutcome, TaskKind
from guardian.processes import Heartbeat
from guardian.scan.runs import Listener
from guardian.schedule import Schedule, is_due
from guardian.sources.settings import SourceSettings
from guardian.tasks.runner import Runner
from guardian.views.coverage import coverage_json
from guardian.web.app import build_app
from guardian.web.metrics import Metrics
from guardian.web.serving import serving

TASK_PAUSE = timedelta(seconds=2)
CLOCK_PAUSE = timedelta(seconds=10)
LEAST_FREE = 10_000_000
"""Bytes: with less than this a scan may end half-way for want of room."""

log = structlog.get_logger(__name__)


async def run(config_path: Path) -> None:
    """Work until SIGTERM or SIGINT; reread the configuration at SIGHUP, keep the old one if the new cannot work."""
    first = await _checked(config_path)
    config: Config | None = first
    proven: Config | None = None
    wishes = _Wishes()
    with wishes.heard():
        while config is not None:
            try:
                async with (
                    opened_app(config) as app,
                    opened_delivery(config) as delivery,
                    at_work(app, "guardian run") as heartbeat,
                ):
                    if not await _done_before(wishes.stop, prepare(app)):
                        return
                    async with _Shift(app, delivery, heartbeat).working():
                        proven = config
                        config = await _next_config(config_path, proven, wishes)
            except GuardianError as error:
                if proven is None or config is proven:
                    raise
                # Some mistakes show only when a room is opened: an address that is taken, a database that is away.
                _tell_refused(error)
                config = proven


async def run_once(config_path: Path, listener: Listener) -> list[Scan]:
    """Scan every source once, side by side, and finish all due tasks. A failing source never stops the others.

    A source that another process is scanning is left to it; its running scan is among those returned.
    """
    config = await _checked(config_path)
    async with (
        opened_app(config) as app,
        opened_delivery(config) as delivery,
        at_work(app, "guardian run --once") as heartbeat,
    ):
        await prepare(app)
        turns = asyncio.Semaphore(config.schedule.scans_at_once)
        ended = await asyncio.gather(
            *(_scan_once(app, heartbeat, settings, turns, listener) for settings in config.sources)
        )
        await asyncio.to_thread(tell_of_troubled_sources, app)
        runner = _runner(app, delivery, heartbeat)
        while any(counts.total() for counts in (await runner.run_due()).values()):
            pass
    return [scan for scan in ended if scan is not None]


async def _checked(config_path: Path) -> Config:
    """Return the configuration, if a daemon can work by it: it has a contact, sound rules, and every secret it names."""
    config = load_config(config_path)
    require_contact(config, config_path)
    open_rules(config)
    async with opened_delivery(config) as delivery:
        delivery.require_secrets()
    return config


async def _scan_once(
    app: App, heartbeat: Heartbeat, settings: SourceSettings, turns: asyncio.Semaphore, listener: Listener
) -> Scan | None:
    async with turns:
        try:
            return await scan_and_mend(app, heartbeat, settings, listener)
        except SourceClaimed as error:
            log.info("scanned_elsewhere", source=settings.name, reason=str(error))
        except GuardianError as error:
            log.warning("scan_failed", source=settings.name, reason=str(error))
        except Exception:
            log.exception("scan_failed", source=settings.name)
        with app.store.read() as tx:
            return tx.scans.last(settings.name)


def _runner(app: App, delivery: Delivery, heartbeat: Heartbeat) -> Runner:
    """Return who does what is owed, kind by kind: a new kind of task is listed here."""
    clock = app.services.clock
    consumers = {TaskKind.DELIVER: DeliveryConsumer(app.store, delivery, clock, heartbeat.id)}
    return Runner(app.store, heartbeat.id, clock, consumers)


class _Wishes:
    """What the operator asked for by signal: stop, or reread the configuration."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Listen to SIGTERM, SIGINT and SIGHUP while the body runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._wish_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self.changed.set)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _wish_to_stop(self) -> None:
        self.stop.set()
        self.changed.set()


async def _done_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work to its end; False when the wish to stop came first, and then it was broken off."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        await working
        return True
    log.info("stopping", unfinished="making the index whole again")
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return False


async def _next_config(config_path: Path, current: Config, wishes: _Wishes) -> Config | None:
    """Wait for a signal. None ends the daemon; a wrong configuration is said and passed over."""
    while True:
        await wishes.changed.wait()
        wishes.changed.clear()
        if wishes.stop.is_set():
            return None
        try:
            config = await _checked(config_path)
            if config.data_dir != current.data_dir:
                raise ConfigError("data_dir has changed: that needs a restart", file=config_path)
        except GuardianError as error:
            _tell_refused(error)
            continue
        log.info("reloaded", config=str(config_path))
        return config


def _tell_refused(error: GuardianError) -> None:
    log.error("reload_refused", reason=str(error), now="going on with the configuration before")


class _Shift:
    """One stretch of work under one configuration: schedule, deliveries and the web server."""

    def __init__(self, app: App, delivery: Delivery, heartbeat: Heartbeat) -> None:
        self._app, self._heartbeat = app, heartbeat
        self._runner = _runner(app, delivery, heartbeat)
        self._metrics = Metrics(app.store, app.services.clock)
        self._schedule = Schedule(app.config.sources, self._begin_scan, self._last_completed, app.services.clock)
        self._turns = asyncio.Semaphore(app.config.schedule.scans_at_once)
        self._pruned_on = app.services.clock().date()
        self._known_assets: tuple[int, int] | None = None
        self._scans: dict[str, asyncio.Task[None]] = {}

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the body waits; at its end let scans in flight finish within the grace period."""
        app = build_app(self._metrics, self._problems, self._covered)
        async with serving(app, self._app.config.web.listen) as address:
            loops = [
                asyncio.create_task(self._run_tasks_forever()),
                asyncio.create_task(self._follow_clock_forever()),
                asyncio.create_task(self._follow_others_forever()),
            ]
            self._schedule.start()
            log.info("started", sources=len(self._app.config.sources), address=address)
            if not self._app.config.destinations:
                log.warning("nobody_is_told", reason="no destination is configured; cases wait until there is one")
            try:
                yield
            finally:
                log.info("stopping", scans_in_flight=len(self._scans))
                self._schedule.stop()
                await self._let_finish()
                for loop in loops:
                    loop.cancel()
                await asyncio.gather(*loops, return_exceptions=True)
        log.info("stopped")

    def _last_completed(self, source: str) -> datetime | None:
        with self._app.store.read() as tx:
            last = tx.scans.last(source, outcome=ScanOutcome.COMPLETED)
        return last.started_at if last else None

    async def _begin_scan(self, settings: SourceSettings) -> None:
        """Run one scan as a task that outlives the scheduler, so that stopping can wait for it."""
        task = asyncio.create_task(self._scan(settings))
        self._scans[settings.name] = task
        task.add_done_callback(lambda _: self._scans.pop(settings.name))
        # APScheduler counts this job as running until the scan ends: that is what keeps scans from overlapping.
        # Once it stops it lets go of the job, whose scan may go on: no failure to log.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])

    async def _scan(self, settings: SourceSettings) -> None:
        """The supervision point of one source: whatever happens, the other sources go on."""
        async with self._turns:
            try:
                latest_known = await asyncio.to_thread(self._latest_if_due, settings)
                if latest_known is None:
                    self._schedule.put_off(settings)
                    log.info("scanned_elsewhere", source=settings.name)
                    return
                ended = await scan_and_mend(
                    self._app,
                    self._heartbeat,
                    settings,
                    lambda result: self._metrics.count(settings.name, result),
                    latest_known,
                )
                log.info("scanned", source=settings.name, counts=ended.counts.as_words())
            except SourceClaimed as error:
                self._schedule.put_off(settings)
                log.info("scanned_elsewhere", source=settings.name, reason=str(error))
                return
            except GuardianError as error:
                # The world's fault, and said plainly: a traceback would add nothing.
                log.warning("scan_failed", source=settings.name, reason=str(error))
                self._metrics.count_failure("scan")
            except Exception:
                log.exception("scan_failed", source=settings.name)
                self._metrics.count_failure("scan")
        await asyncio.to_thread(tell_of_troubled_sources, self._app)

    def _latest_if_due(self, settings: SourceSettings) -> int | None:
        """Return the id of a source's latest scan (0: none) if it is due, None if another process cares for it.

        That its time has come by this daemon's own schedule says enough after a scan of its own. One that was cut off
        is to be taken up at once. A failed one of another process counts while that lives: it tries again in its time.
        """
        with self._app.store.read() as tx:
            last = tx.scans.last(settings.name)
            if last is None:
                return 0
            if last.outcome is None and settings.name not in tx.scans.abandoned():
                return None
            if last.owner == self._heartbeat.id or last.outcome in (None, ScanOutcome.INTERRUPTED):
                return last.id
            counted: Scan | None = last
            if last.outcome is ScanOutcome.FAILED and last.owner not in {
                process.id for process in tx.processes.living()
            }:
                counted = tx.scans.last(settings.name, outcome=ScanOutcome.COMPLETED)
        if counted is None or is_due(settings, counted.started_at, self._app.services.clock()):
            return last.id
        return None

    async def _follow_others_forever(self) -> None:
        """Look now and then what other processes on this database have done, or left undone when they were lost."""
        while True:
            await asyncio.sleep(self._heartbeat.lease.total_seconds() / 4)
            try:
                await self._follow_assets()
                await take_over(self._app)
                if (today := self._app.services.clock().date()) != self._pruned_on:
                    await prune_old_rows(self._app)
                    self._pruned_on = today
                for source in await asyncio.to_thread(self._cut_off):
                    if source not in self._scans and self._schedule.running:
                        self._schedule.begin_now(source)
            except Exception:
                log.exception("others_not_followed")
                self._metrics.count_failure("others")

    async def _follow_assets(self) -> None:
        """Bring the index up to date when assets were added or taken out, maybe on another machine."""

        def read() -> tuple[int, int]:
            with self._app.store.read() as tx:
                return tx.assets.latest_number(), tx.assets.count()

        known = await asyncio.to_thread(read)
        if known != self._known_assets and await self._app.catalog.follow():
            self._known_assets = known

    def _cut_off(self) -> set[str]:
        with self._app.store.read() as tx:
            return tx.scans.abandoned() & {settings.name for settings in self._app.config.sources}

    async def _run_tasks_forever(self) -> None:
        """The supervision point of what is owed: an error is logged, the tasks stay due, the loop goes on."""
        while True:
            try:
                self._metrics.count_deliveries(deliveries_of(await self._runner.run_due()))
            except Exception:
                log.exception("deliveries_failed")
                self._metrics.count_failure("deliveries")
            await asyncio.sleep(TASK_PAUSE.total_seconds())

    async def _follow_clock_forever(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_PAUSE.total_seconds())
            try:
                if await asyncio.to_thread(self._schedule.follow_clock):
                    log.warning("clock_jumped", now="it is worked out anew which sources are due")
            except Exception:
                log.exception("clock_not_followed")
                self._metrics.count_failure("clock")

    async def _let_finish(self) -> None:
        """Wait for scans in flight, then cut them off: what they had not reached is due again."""
        if not self._scans:
            return
        grace = self._app.config.schedule.grace_period.total_seconds()
        _, late = await asyncio.wait(set(self._scans.values()), timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _covered(self) -> list[dict[str, Any]]:
        """Return what the last scan of each source saw; /coverage asks."""
        config = self._app.config
        with self._app.store.read() as tx:
            found = coverages(tx, config.sources, self._app.services.clock(), config.coverage, config.fetch.closed)
        return [coverage_json(coverage) for coverage in found]

    def _problems(self) -> dict[str, str]:
        """Return why guardian could not work right now, by room; /ready asks."""
        problems = {}
        try:
            with self._app.store.read() as tx:
                tx.assets.count()
        except GuardianError as error:
            problems["store"] = str(error)
        if no_room := disk_problem(self._app.config.data_dir):
            problems["disk"] = no_room
        if not self._schedule.running:
            problems["schedule"] = "not running"
        return problems


def disk_problem(data_dir: Path, least_free: int = LEAST_FREE) -> str | None:
    """Return why there is no room left to work with; None while there is."""
    free = shutil.disk_usage(data_dir).free
    return f"only {free / 1e6:.1f} MB are free in {data_dir}" if free < least_free else None
