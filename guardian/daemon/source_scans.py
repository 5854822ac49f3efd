"""Scans the sources of one configuration: when they are due, when people ask, and where another process was cut off."""

import asyncio
from datetime import datetime

import structlog

from guardian.app import App
from guardian.daemon.supervision import supervised
from guardian.errors import ClaimLost, SourceClaimed
from guardian.housekeeping import scan_with_repair, tell_of_troubled_sources
from guardian.model import Scan, ScanOutcome
from guardian.processes import Heartbeat
from guardian.schedule import Schedule, is_due
from guardian.sources.settings import SourceSettings
from guardian.web.metrics import Metrics

log = structlog.get_logger(__name__)


class SourceScans:
    """The scans that this process runs, by the schedule of its configuration.

    Several processes may share a database: whoever claims a due source scans it. Needs a running event loop.
    """

    def __init__(self, app: App, heartbeat: Heartbeat, metrics: Metrics) -> None:
        self._app, self._heartbeat, self._metrics = app, heartbeat, metrics
        self.schedule = Schedule(app.config.sources, self._begin, self._last_completed, app.services.clock)
        self._slots = asyncio.Semaphore(app.config.schedule.scans_at_once)
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin each source when it is due from now on."""
        self.schedule.start()

    async def stop(self) -> None:
        """Begin nothing more and wait for scans in flight; after the grace period they are cancelled.

        The next scan of a source goes on from where a cancelled one was.
        """
        log.info("stopping", scans_in_flight=len(self._running))
        self.schedule.stop()
        if not self._running:
            return

        grace = self._app.config.schedule.grace_period.total_seconds()
        _, late = await asyncio.wait(set(self._running.values()), timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def begin_requested(self) -> None:
        """Begin the scans that people ask for."""
        self._begin_now(await asyncio.to_thread(self._requested))

    async def begin_cut_off(self) -> None:
        """Begin the sources whose latest scan was cut off, by this process or by one that is lost."""
        self._begin_now(await asyncio.to_thread(self._cut_off))

    def _begin_now(self, names: set[str]) -> None:
        for name in names:
            if name not in self._running and self.schedule.running:
                self.schedule.begin_now(name)

    async def _begin(self, settings: SourceSettings) -> None:
        """Run one scan as a task that outlives the scheduler, so that stopping can wait for it."""
        task = asyncio.create_task(self._scan(settings))
        self._running[settings.name] = task
        task.add_done_callback(lambda _: self._running.pop(settings.name))
        # APScheduler counts this job as running until the scan ends: that is what keeps scans from overlapping.
        await asyncio.wait([task])

    async def _scan(self, settings: SourceSettings) -> None:
        """Scan one source if it is still due. Supervises it: whatever happens, the other sources go on."""
        async with self._slots:
            with supervised(self._metrics, "scan_failed", "scan", source=settings.name):
                if not await self._scan_if_due(settings):
                    return
        await asyncio.to_thread(tell_of_troubled_sources, self._app)

    async def _scan_if_due(self, settings: SourceSettings) -> bool:
        """Scan one source; return False when another process scans it, or has taken this scan over."""
        try:
            latest_known = await asyncio.to_thread(self._latest_if_due, settings)
            if latest_known is None:
                self.schedule.put_off(settings)
                log.info("scanned_elsewhere", source=settings.name)
                return False

            ended = await scan_with_repair(
                self._app,
                self._heartbeat,
                settings,
                lambda result: self._metrics.count(settings.name, result),
                latest_known,
            )
        except SourceClaimed as error:
            self.schedule.put_off(settings)
            log.info("scanned_elsewhere", source=settings.name, reason=str(error))
            return False
        except ClaimLost as error:
            # This process was not heard of for longer than its lease: no failure of the source.
            log.warning("scan_taken_over", source=settings.name, reason=str(error))
            return False

        log.info("scanned", source=settings.name, counts=ended.counts.as_words())
        return True

    def _latest_if_due(self, settings: SourceSettings) -> int | None:
        """Return the id of a source's latest scan (0: none) if the source is due, None if another process takes care.

        This daemon's own schedule decides after a scan of its own. A scan that was cut off is taken up at once, and so
        is what a person has asked for. A failed scan of another living process counts like a complete one: that
        process will try again in its time.
        """
        with self._app.store.read() as tx:
            last = tx.scans.last(settings.name)
            if last is None:
                return 0

            if tx.scans.is_running(settings.name):
                return None
            is_wanted = settings.name in tx.scan_requests.open()
            if is_wanted or last.owner == self._heartbeat.id or last.outcome in (None, ScanOutcome.INTERRUPTED):
                return last.id

            counted: Scan | None = last
            living = {process.id for process in tx.processes.living()}
            if last.outcome is ScanOutcome.FAILED and last.owner not in living:
                counted = tx.scans.last(settings.name, outcome=ScanOutcome.COMPLETED)

        if counted is None or is_due(settings, counted.started_at, self._app.services.clock()):
            return last.id
        return None

    def _last_completed(self, source: str) -> datetime | None:
        """Return when the last complete scan of a source began; None when there was none."""
        with self._app.store.read() as tx:
            last = tx.scans.last(source, outcome=ScanOutcome.COMPLETED)
        return last.started_at if last else None

    def _requested(self) -> set[str]:
        """Return the sources of this configuration that a person wants to be scanned and nobody scans."""
        with self._app.store.read() as tx:
            wanted = {source.name for source in self._app.config.sources} & tx.scan_requests.open().keys()
            # Asked for while a scan ran: it follows when that has ended.
            return {name for name in wanted if not tx.scans.is_running(name)}

    def _cut_off(self) -> set[str]:
        """Return the names of this configuration's sources whose latest scan was cut off."""
        with self._app.store.read() as tx:
            return tx.scans.abandoned() & {settings.name for settings in self._app.config.sources}
