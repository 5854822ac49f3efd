"""Works under one configuration: schedule, scans, tasks and the web server, started and stopped together.

A failing image, task or source never stops the rest. Several daemons may share a database: whoever claims a due source
scans it, and the work of a process that was lost is taken over.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import structlog

from guardian.app import App
from guardian.coverage.coverage import coverages
from guardian.coverage.evidence import evidence_room
from guardian.daemon.consumers import make_runner
from guardian.daemon.health import find_problems
from guardian.daemon.source_scans import SourceScans
from guardian.daemon.supervision import supervised
from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import deliveries_of
from guardian.housekeeping import (
    index_case_words,
    judge_due_uses,
    keep_labels,
    prune_old_rows,
    run_watches,
    take_over,
    tell_of_ending_licences,
    tell_of_notice_deadlines,
    tell_of_what_changed,
)
from guardian.model import TaskKind
from guardian.notices.drafting import NoticeConfig
from guardian.processes import Heartbeat
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
        self._scans = SourceScans(app, heartbeat, self._metrics)
        self._pruned_on = app.services.clock().date()
        self._watched_at: datetime | None = None
        self._known_assets: tuple[int, int] | None = None

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Start everything, run the body, then stop: scans in flight have the grace period to finish.

        Raises GuardianError when the web server cannot listen at its address.
        """
        web = build_app(self._metrics, self._problems, self._covered, self._desk())
        async with serving(web, self._app.config.web.listen) as address:
            self._scans.start()
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
                await self._scans.stop()
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
                with supervised(self._metrics, "others_not_followed", "others", step=step.__name__.strip("_")):
                    await step()

    async def _take_over(self) -> None:
        """Free what lost processes had claimed, and begin with the sources of this configuration among it."""
        await take_over(self._app)
        await self._scans.begin_cut_off()

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
                return tx.compared_assets.latest_number(), tx.assets.count()

        known = await asyncio.to_thread(read)
        if known != self._known_assets and await self._app.catalog.follow():
            self._known_assets = known

    async def _begin_requested_forever(self) -> None:
        """Begin the scans that people ask for."""
        while True:
            with supervised(self._metrics, "requests_not_read", "requests"):
                await self._scans.begin_requested()
            await asyncio.sleep(REQUEST_PAUSE.total_seconds())

    async def _label_forever(self) -> None:
        """Label what comes in by the owner's vocabulary."""
        while True:
            is_more = False
            with supervised(self._metrics, "not_labelled", "labels"):
                is_more = await keep_labels(self._app)
            await asyncio.sleep((TASK_PAUSE if is_more else LABEL_PAUSE).total_seconds())

    async def _run_tasks_forever(self, kind: TaskKind) -> None:
        """Do due tasks of one kind, so that slow ones hold up no other kind. After an error they stay due."""
        counter = "deliveries" if kind is TaskKind.DELIVER else kind.value
        while True:
            with supervised(self._metrics, "tasks_failed", counter, kind=kind.value):
                self._metrics.count_deliveries(deliveries_of({kind: await self._runner.run_due_of(kind)}))
            await asyncio.sleep(TASK_PAUSE.total_seconds())

    async def _follow_clock_forever(self) -> None:
        """Plan the schedule anew when the clock jumps, and take again what was put off by the clock of before."""
        while True:
            await asyncio.sleep(CLOCK_PAUSE.total_seconds())
            with supervised(self._metrics, "clock_not_followed", "clock"):
                jump = await asyncio.to_thread(self._scans.schedule.follow_clock)
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
        with supervised(self._metrics, "audit_head_not_read", "audit"):
            with self._app.store.read() as tx:
                head = tx.audit.head()
            if head is not None:
                log.info("audit_head", head=str(head), check=f"`guardian audit verify --head {head}`")

    def _covered(self) -> list[dict[str, Any]]:
        """Return what the last scan of each source saw, as JSON objects; /coverage asks."""
        config = self._app.config
        with self._app.store.read() as tx:
            found = coverages(tx, config.sources, self._app.services.clock(), config.coverage, config.fetch.closed)
            room = evidence_room(tx, self._app.services.vault)
        return [coverage_json(coverage, room) for coverage in found]

    def _problems(self) -> dict[str, str]:
        """Return why guardian could not work right now, by part; /ready asks."""
        return find_problems(self._app.store, self._app.config.data_dir, self._scans.schedule)
