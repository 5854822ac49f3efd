"""Works under one configuration: schedule, scans, tasks and the web server, started and stopped together.

A failing image, task or source never stops the rest. Several daemons may share a database: whoever claims a due source
scans it, and the work of a process that was lost is taken over.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import structlog

from guardian.app import App
from guardian.coverage.coverage import coverages
from guardian.coverage.evidence import evidence_room
from guardian.daemon.consumers import make_runner
from guardian.daemon.health import find_problems
from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import deliveries_of
from guardian.errors import ClaimLost, GuardianError, SourceClaimed
from guardian.housekeeping import (
    index_case_words,
    judge_due_uses,
    keep_labels,
    prune_old_rows,
    run_watches,
    scan_with_repair,
    take_over,
    tell_of_ending_licences,
    tell_of_notice_deadlines,
    tell_of_troubled_sources,
    tell_of_what_changed,
)
from guardian.model import Scan, ScanOutcome, TaskKind
from guardian.notices.drafting import NoticeConfig
from guardian.processes import Heartbeat
from guardian.schedule import Schedule, is_due
from guardian.sources.settings import SourceSettings
from guardian.views.configuration import setting_groups
from guardian.views.coverage import coverage_json
from guardian.web.app import build_app
from guardian.web.desk import Desk
from guardian.web.metrics import Metrics
from guardian.web.serving import serving

TASK_PAUSE = timedelta(seconds=2)
REQUEST_PAUSE = timedelta(seconds=2)
LABEL_PAUSE = timedelta(seconds=20)
CLOCK_PAUSE = timedelta(seconds=10)
WATCH_PAUSE = timedelta(minutes=5)
AUDIT_HEAD_PAUSE = timedelta(hours=1)

TAKEOVERS_PER_LEASE = 4
"""How often within a lease this process takes over what lost processes left."""

log = structlog.get_logger(__name__)


class WorkPeriod:
    """A period of work under one configuration, from its start to the next reload or the end of the process."""

    def __init__(self, app: App, delivery: Delivery, heartbeat: Heartbeat) -> None:
        self._app, self._heartbeat = app, heartbeat
        self._runner = make_runner(app, delivery, heartbeat)
        self._metrics = Metrics(app.store, app.services.vault, app.services.clock)
        self._schedule = Schedule(app.config.sources, self._begin_scan, self._last_completed, app.services.clock)
        self._slots = asyncio.Semaphore(app.config.schedule.scans_at_once)
        self._pruned_on = app.services.clock().date()
        self._watched_at: datetime | None = None
        self._known_assets: tuple[int, int] | None = None
        self._scans: dict[str, asyncio.Task[None]] = {}

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Start everything, run the body, then stop: scans in flight have the grace period to finish.

        Raises GuardianError when the web server cannot listen at its address.
        """
        web = build_app(self._metrics, self._problems, self._covered, self._desk())
        async with serving(web, self._app.config.web.listen) as address:
            self._schedule.start()
            loops = [
                *(asyncio.create_task(self._run_tasks_forever(kind)) for kind in self._runner.consumers),
                asyncio.create_task(self._follow_clock_forever()),
                asyncio.create_task(self._follow_others_forever()),
                asyncio.create_task(self._begin_requested_forever()),
                asyncio.create_task(self._log_audit_head_forever()),
                asyncio.create_task(self._label_forever()),
            ]
            log.info("started", sources=len(self._app.config.sources), address=address)
            await asyncio.to_thread(self._log_audit_head)
            if not self._app.config.destinations:
                log.warning("nobody_is_told", reason="no destination is configured; cases wait until there is one")

            try:
                yield
            finally:
                # Begin nothing more, then let scans finish, then end the loops: deliveries go on while scans end.
                log.info("stopping", scans_in_flight=len(self._scans))
                self._schedule.stop()
                await self._let_finish()
                for loop in loops:
                    loop.cancel()
                await asyncio.gather(*loops, return_exceptions=True)
        await asyncio.to_thread(self._log_audit_head)
        log.info("stopped")

    def _desk(self) -> Desk:
        app = self._app
        return Desk(
            store=app.store,
            vault=app.services.vault,
            data_dir=app.config.data_dir,
            clock=app.services.clock,
            settings=app.config.web,
            services=app.services,
            catalog=lambda: app.catalog,
            sources=app.config.sources,
            configuration=setting_groups(app.config, app.config.place_of),
            notice_config=NoticeConfig(app.config.owner, app.config.notices, app.services.vault),
            makes_bundles=True,
        )

    def _last_completed(self, source: str) -> datetime | None:
        """Return when the last complete scan of a source began; None when there was none."""
        with self._app.store.read() as tx:
            last = tx.scans.last(source, outcome=ScanOutcome.COMPLETED)
        return last.started_at if last else None

    async def _begin_scan(self, settings: SourceSettings) -> None:
        """Run one scan as a task that outlives the scheduler, so that stopping can wait for it."""
        task = asyncio.create_task(self._scan(settings))
        self._scans[settings.name] = task
        task.add_done_callback(lambda _: self._scans.pop(settings.name))
        # APScheduler counts this job as running until the scan ends: that is what keeps scans from overlapping.
        await asyncio.wait([task])

    async def _scan(self, settings: SourceSettings) -> None:
        """Scan one source if it is still due. Supervises it: whatever happens, the other sources go on."""
        async with self._slots:
            with self._supervised("scan_failed", "scan", source=settings.name):
                if not await self._scan_if_due(settings):
                    return
        await asyncio.to_thread(tell_of_troubled_sources, self._app)

    async def _scan_if_due(self, settings: SourceSettings) -> bool:
        """Scan one source; return False when another process scans it, or has taken this scan over."""
        try:
            latest_known = await asyncio.to_thread(self._latest_if_due, settings)
            if latest_known is None:
                self._schedule.put_off(settings)
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
            self._schedule.put_off(settings)
            log.info("scanned_elsewhere", source=settings.name, reason=str(error))
            return False
        except ClaimLost as error:
            # This process was not heard of for longer than its lease: no failure of the source.
            log.warning("scan_taken_over", source=settings.name, reason=str(error))
            return False

        log.info("scanned", source=settings.name, counts=ended.counts.as_words())
        return True

    @contextlib.contextmanager
    def _supervised(self, event: str, counter: str, **facts: str) -> Iterator[None]:
        """Log an error of the body as `event` and count it, instead of raising it: whatever fails, the rest goes on.

        A GuardianError is the world's fault and said plainly; any other is logged with its traceback.
        """
        try:
            yield
        except GuardianError as error:
            log.warning(event, reason=str(error), **facts)
            self._metrics.count_failure(counter)
        except Exception:
            log.exception(event, **facts)
            self._metrics.count_failure(counter)

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

    async def _follow_others_forever(self) -> None:
        """Look regularly at what other processes on this database did, and take over from those that were lost."""
        # What was lost comes first: it waits for somebody, while the index may take long to follow.
        steps = (
            self._take_over,
            self._prune_on_new_day,
            self._follow_assets,
            self._tell_of_changes,
            self._run_watches,
            self._index_case_words,
        )
        while True:
            await asyncio.sleep(self._heartbeat.lease.total_seconds() / TAKEOVERS_PER_LEASE)
            for step in steps:
                with self._supervised("others_not_followed", "others", step=step.__name__.strip("_")):
                    await step()

    async def _take_over(self) -> None:
        """Free what lost processes had claimed, and begin with the sources of this configuration among it."""
        await take_over(self._app)
        for source in await asyncio.to_thread(self._cut_off):
            if source not in self._scans and self._schedule.running:
                self._schedule.begin_now(source)

    async def _prune_on_new_day(self) -> None:
        """Forget old rows and erase withdrawn assets once a day. `prepare` did so on the day when this period began."""
        today = self._app.services.clock().date()
        if today != self._pruned_on:
            await prune_old_rows(self._app)
            await judge_due_uses(self._app)
            await asyncio.to_thread(tell_of_ending_licences, self._app)
            await asyncio.to_thread(tell_of_notice_deadlines, self._app)
            await self._app.catalog.erase_withdrawn()
            self._pruned_on = today

    async def _run_watches(self) -> None:
        """Run the watches over what was met, at most once in WATCH_PAUSE."""
        now = self._app.services.clock()
        if self._watched_at is None or not timedelta(0) <= now - self._watched_at < WATCH_PAUSE:
            await run_watches(self._app)
            self._watched_at = now

    async def _index_case_words(self) -> None:
        """Keep the words by which cases are found, of those whose findings any process has changed."""
        await index_case_words(self._app)

    async def _tell_of_changes(self) -> None:
        """Tell who asks for it what became of cases and licences, by whichever process."""
        await asyncio.to_thread(tell_of_what_changed, self._app)

    async def _follow_assets(self) -> None:
        """Bring the index up to date when assets were added or withdrawn, perhaps on another machine."""

        def read() -> tuple[int, int]:
            # Additions raise the number, withdrawals lower the count.
            with self._app.store.read() as tx:
                return tx.assets.latest_number(), tx.assets.count()

        known = await asyncio.to_thread(read)
        if known != self._known_assets and await self._app.catalog.follow():
            self._known_assets = known

    async def _begin_requested_forever(self) -> None:
        """Begin the scans that people ask for."""
        while True:
            with self._supervised("requests_not_read", "requests"):
                for source in await asyncio.to_thread(self._requested):
                    if source not in self._scans and self._schedule.running:
                        self._schedule.begin_now(source)
            await asyncio.sleep(REQUEST_PAUSE.total_seconds())

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

    async def _label_forever(self) -> None:
        """Label what comes in by the owner's vocabulary."""
        while True:
            is_more = False
            with self._supervised("not_labelled", "labels"):
                is_more = await keep_labels(self._app)
            await asyncio.sleep((TASK_PAUSE if is_more else LABEL_PAUSE).total_seconds())

    async def _run_tasks_forever(self, kind: TaskKind) -> None:
        """Do due tasks of one kind, so that slow ones hold up no other kind. After an error they stay due."""
        counter = "deliveries" if kind is TaskKind.DELIVER else kind.value
        while True:
            with self._supervised("tasks_failed", counter, kind=kind.value):
                self._metrics.count_deliveries(deliveries_of({kind: await self._runner.run_due_of(kind)}))
            await asyncio.sleep(TASK_PAUSE.total_seconds())

    async def _follow_clock_forever(self) -> None:
        """Plan the schedule anew when the clock jumps, and take again what was put off by the clock of before."""
        while True:
            await asyncio.sleep(CLOCK_PAUSE.total_seconds())
            with self._supervised("clock_not_followed", "clock"):
                jump = await asyncio.to_thread(self._schedule.follow_clock)
                if jump:
                    # Set forward, what waits comes due by itself, and a pause that a receiver asked for is kept.
                    retries = await asyncio.to_thread(self._hurry_retries) if jump < timedelta() else 0
                    log.warning("clock_jumped", now="it is worked out anew which sources are due", retries=retries)

    def _hurry_retries(self) -> int:
        with self._app.store.begin() as tx:
            return tx.tasks.hurry_retries(self._app.services.clock())

    async def _log_audit_head_forever(self) -> None:
        """Log the head of the audit log every hour, where whoever can write the database cannot change it."""
        while True:
            await asyncio.sleep(AUDIT_HEAD_PAUSE.total_seconds())
            await asyncio.to_thread(self._log_audit_head)

    def _log_audit_head(self) -> None:
        """Log the head of the audit log. What fails is logged too and ends nothing."""
        with self._supervised("audit_head_not_read", "audit"):
            with self._app.store.read() as tx:
                head = tx.audit.head()
            if head is not None:
                log.info("audit_head", head=str(head), check=f"`guardian audit verify --head {head}`")

    async def _let_finish(self) -> None:
        """Wait for scans in flight, at most for the grace period, then cancel them; later scans go on from there."""
        if not self._scans:
            return

        grace = self._app.config.schedule.grace_period.total_seconds()
        _, late = await asyncio.wait(set(self._scans.values()), timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _covered(self) -> list[dict[str, Any]]:
        """Return what the last scan of each source saw, as JSON objects; /coverage asks."""
        config = self._app.config
        with self._app.store.read() as tx:
            found = coverages(tx, config.sources, self._app.services.clock(), config.coverage, config.fetch.closed)
            room = evidence_room(tx, self._app.services.vault)
        return [coverage_json(coverage, room) for coverage in found]

    def _problems(self) -> dict[str, str]:
        """Return why guardian could not work right now, by part; /ready asks."""
        return find_problems(self._app.store, self._app.config.data_dir, self._schedule)
