"""`guardian run`: schedule, scans, deliveries and the web server, started and stopped together.

One configuration is one shift; SIGHUP begins the next shift if the new configuration is good, SIGTERM
ends the last one within the grace period. A failing image, task or source never stops the rest.
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

from guardian.app import App, open_rules, opened_app, opened_delivery
from guardian.config import Config, load_config, require_contact
from guardian.coverage.coverage import coverages
from guardian.coverage.telling import tell_of_trouble
from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import deliver_due
from guardian.errors import ConfigError, GuardianError, IndexNotReady
from guardian.model import Scan, ScanOutcome
from guardian.scan.runs import Listener, scan_source
from guardian.schedule import Schedule
from guardian.sources.settings import SourceSettings
from guardian.store import hold
from guardian.views.coverage import coverage_json
from guardian.web.app import build_app
from guardian.web.metrics import Metrics
from guardian.web.serving import serving

ROLE = "crawl"
"""The one lock that `run` and `scan` take on a data folder."""

DELIVERY_PAUSE = timedelta(seconds=2)
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
    with hold(first.data_dir, ROLE), wishes.heard():
        while config is not None:
            try:
                async with opened_app(config) as app, opened_delivery(config) as delivery:
                    if not await _done_before(wishes.stop, prepare(app)):
                        return
                    async with _Shift(app, delivery).working():
                        proven = config
                        config = await _next_config(config_path, proven, wishes)
            except GuardianError as error:
                if proven is None or config is proven:
                    raise
                # Some mistakes show only when a room is opened: an address that is taken, a database that is away.
                _tell_refused(error)
                config = proven


async def run_once(config_path: Path, listener: Listener) -> list[Scan]:
    """Scan every source once, side by side, and finish all due tasks. A failing source never stops the others."""
    config = await _checked(config_path)
    with hold(config.data_dir, ROLE):
        async with opened_app(config) as app, opened_delivery(config) as delivery:
            await prepare(app)
            turns = asyncio.Semaphore(config.schedule.scans_at_once)
            ended = await asyncio.gather(*(_scan_once(app, settings, turns, listener) for settings in config.sources))
            await asyncio.to_thread(tell_of_troubled_sources, app)
            while (await deliver_due(app.store, delivery, app.services.clock)).attempted:
                pass
    return [scan for scan in ended if scan is not None]


async def _checked(config_path: Path) -> Config:
    """The configuration, if a daemon can work by it: it has a contact, sound rules, and every secret it names."""
    config = load_config(config_path)
    require_contact(config, config_path)
    open_rules(config)
    async with opened_delivery(config) as delivery:
        delivery.require_secrets()
    return config


async def prepare(app: App) -> None:
    """Take over from a process that may have died, or that watched other sources.

    Its leases are free, crawls of sources that are no longer configured are forgotten, its index is made whole again.
    """

    def free() -> tuple[int, int]:
        with app.store.begin() as tx:
            left_behind = tx.frontier.clear_all_but([source.name for source in app.config.sources])
            return tx.tasks.free_leases(), left_behind

    freed, left_behind = await asyncio.to_thread(free)
    repaired = await app.catalog.repair()
    if freed or left_behind or repaired:
        log.info("took_over", leases_freed=freed, addresses_forgotten=left_behind, assets_indexed_again=repaired)


async def scan_and_mend(app: App, settings: SourceSettings, listener: Listener) -> Scan:
    """One scan; when the index turns out to be damaged it is made anew, and the scan begins again."""
    try:
        return await scan_source(app.services, settings, listener)
    except IndexNotReady as error:
        log.warning("index_damaged", reason=str(error))
        await app.catalog.repair()
        return await scan_source(app.services, settings, listener)


def tell_of_troubled_sources(app: App) -> None:
    """Queue a message about each source that fails, is silent or shrinks, if somebody wants to hear of it."""
    config, now = app.config, app.services.clock()
    if not config.coverage.deliver_to:
        return
    with app.store.begin() as tx:
        found = coverages(tx, config.sources, now, config.coverage, config.fetch.closed)
        if told := tell_of_trouble(tx, found, config.coverage.deliver_to, now):
            log.warning("sources_in_trouble", messages=told)


async def _scan_once(app: App, settings: SourceSettings, turns: asyncio.Semaphore, listener: Listener) -> Scan | None:
    async with turns:
        try:
            return await scan_and_mend(app, settings, listener)
        except GuardianError as error:
            log.warning("scan_failed", source=settings.name, reason=str(error))
        except Exception:
            log.exception("scan_failed", source=settings.name)
        with app.store.read() as tx:
            return tx.scans.last(settings.name)


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

    def __init__(self, app: App, delivery: Delivery) -> None:
        self._app, self._delivery = app, delivery
        self._metrics = Metrics(app.store, app.services.clock)
        self._schedule = Schedule(app.config.sources, self._begin_scan, self._last_completed, app.services.clock)
        self._turns = asyncio.Semaphore(app.config.schedule.scans_at_once)
        self._scans: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the body waits; at its end let scans in flight finish within the grace period."""
        app = build_app(self._metrics, self._problems, self._covered)
        async with serving(app, self._app.config.web.listen) as address:
            loops = [asyncio.create_task(self._deliver_forever()), asyncio.create_task(self._follow_clock_forever())]
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
        self._scans.add(task)
        task.add_done_callback(self._scans.discard)
        # APScheduler counts this job as running until the scan ends: that is what keeps scans from overlapping.
        # Once it stops it lets go of the job, whose scan may go on: no failure to log.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])

    async def _scan(self, settings: SourceSettings) -> None:
        """The supervision point of one source: whatever happens, the other sources go on."""
        async with self._turns:
            try:
                ended = await scan_and_mend(
                    self._app, settings, lambda result: self._metrics.count(settings.name, result)
                )
                log.info("scanned", source=settings.name, counts=ended.counts.as_words())
            except GuardianError as error:
                # The world's fault, and said plainly: a traceback would add nothing.
                log.warning("scan_failed", source=settings.name, reason=str(error))
                self._metrics.count_failure("scan")
            except Exception:
                log.exception("scan_failed", source=settings.name)
                self._metrics.count_failure("scan")
        await asyncio.to_thread(tell_of_troubled_sources, self._app)

    async def _deliver_forever(self) -> None:
        """The supervision point of deliveries: an error is logged, the tasks stay due, the loop goes on."""
        while True:
            try:
                sent = await deliver_due(self._app.store, self._delivery, self._app.services.clock)
                self._metrics.count_deliveries(sent)
            except Exception:
                log.exception("deliveries_failed")
                self._metrics.count_failure("deliveries")
            await asyncio.sleep(DELIVERY_PAUSE.total_seconds())

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
        _, late = await asyncio.wait(set(self._scans), timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _covered(self) -> list[dict[str, Any]]:
        """What the last scan of each source saw; /coverage asks."""
        config = self._app.config
        with self._app.store.read() as tx:
            found = coverages(tx, config.sources, self._app.services.clock(), config.coverage, config.fetch.closed)
        return [coverage_json(coverage) for coverage in found]

    def _problems(self) -> dict[str, str]:
        """Why guardian could not work right now, by room; /ready asks."""
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
    """Why there is no room left to work with; None while there is."""
    free = shutil.disk_usage(data_dir).free
    return f"only {free / 1e6:.1f} MB are free in {data_dir}" if free < least_free else None
