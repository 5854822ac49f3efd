"""Runs one scan of a source and keeps its row in the scans table: its claim, its counts and its outcome."""

import asyncio
from collections.abc import Callable, Set
from dataclasses import replace

import structlog

from guardian.cases.absence import missed_in_crawl, missed_in_scan, note_missed
from guardian.concurrency import closed_after
from guardian.crawl.checkpoints import settle
from guardian.errors import ClaimLost, FetchFailed, FetchRefused, GuardianError, internal_error_text
from guardian.evidence import remove_needless
from guardian.memory.remembering import WRITTEN_AFTER_SCAN
from guardian.model import Answer, Checkpoint, Scan, ScanCounts, ScanOutcome, Skipped, UnseenFinding
from guardian.processes import Heartbeat, ScanClaim
from guardian.scan.context import ScanContext, context_of_scan
from guardian.scan.pipeline import scan
from guardian.scan.services import Services
from guardian.scan.site_answers import sites_under_repair
from guardian.sources.kinds import open_source
from guardian.sources.settings import SourceSettings
from guardian.store import Transaction

Listener = Callable[[Answer | Skipped], None]

log = structlog.get_logger(__name__)


async def scan_source(
    services: Services,
    heartbeat: Heartbeat,
    settings: SourceSettings,
    listener: Listener,
    latest_known: int | None = None,
) -> Scan:
    """Claim a source, scan it, and return its ended row; `listener` is called with each result.

    Raises SourceClaimed while another scan of it runs, or when one has begun after the scan with the id
    `latest_known`; ClaimLost when another process has taken this one over. Any other error is recorded, then raised.
    """
    row, counts = await asyncio.to_thread(_start, services, heartbeat, settings.name, latest_known)
    # From here on every transaction first requires that this process still owns the scan.
    claimed = services.store.under(lambda tx: tx.scans.require(row.id, heartbeat.id))
    with heartbeat.renewing(row.id) as claim:
        ended = await _ClaimedScan(replace(services, store=claimed), row, counts, claim).run(settings, listener)
    if services.memory is not None:
        await asyncio.to_thread(services.memory.write_waiting, at_least=WRITTEN_AFTER_SCAN)
    return ended


def _start(services: Services, heartbeat: Heartbeat, source: str, latest_known: int | None) -> tuple[Scan, ScanCounts]:
    """Claim a source; return its new row and the counts so far, those of the cut-off scan that this one continues."""
    with services.store.begin() as tx:
        row = tx.scans.start(source, services.clock(), heartbeat.id, heartbeat.lease, latest_known)
        before = tx.scans.before(row)

        counts = ScanCounts()
        was_cut_off = before is not None and before.outcome is not ScanOutcome.COMPLETED
        if before is not None and was_cut_off and tx.frontier.count(source) > 0:
            counts = before.counts
        tx.scans.note(row.id, counts)
        return row, counts


class _ClaimedScan:
    """A scan whose row has been started. Its services have a store that raises ClaimLost once the claim is lost."""

    def __init__(self, services: Services, row: Scan, counts: ScanCounts, claim: ScanClaim) -> None:
        self._services, self._row, self._claim = services, row, claim
        self._counts = counts
        self._is_crawl = False

    async def run(self, settings: SourceSettings, listener: Listener) -> Scan:
        """Scan the source to its end, and return the ended row. An error is recorded, then raised."""
        try:
            context = await asyncio.to_thread(context_of_scan, self._services, settings)
            await self._take_results(context, settings, listener)
            under_repair = set() if self._is_crawl else await self._under_repair(context)
        except ClaimLost:
            # The process that took over has closed this row, and goes on from the last checkpoint.
            raise
        except asyncio.CancelledError:
            self._break_off(ScanOutcome.INTERRUPTED)
            raise
        except Exception as error:
            if isinstance(error, (FetchRefused, FetchFailed)):
                # The source itself could not be read: this counts as what was left out, with its reason.
                self._counts += ScanCounts.of(error.skipped)
            reason = str(error) if isinstance(error, GuardianError) else internal_error_text(error)
            await asyncio.to_thread(self._break_off, ScanOutcome.FAILED, reason)
            raise

        # Captures that later ones of this scan made needless.
        await asyncio.to_thread(remove_needless, self._services.store, self._services.vault)
        if not self._is_crawl:
            await asyncio.to_thread(self._note_missed, under_repair)
        return await asyncio.to_thread(self._end, ScanOutcome.COMPLETED, self._counts)

    async def _take_results(self, context: ScanContext, settings: SourceSettings, listener: Listener) -> None:
        """Count each result as it comes, tell `listener` of it, and settle each checkpoint."""
        # Closed at once when something ends the scan: no request goes out after the claim is lost.
        async with closed_after(scan(self._services, context, open_source(settings))) as results:
            async for result in results:
                if self._claim.is_lost:
                    raise ClaimLost(f"another process has taken over the scan of {settings.name}")

                if isinstance(result, Checkpoint):
                    self._counts = result.counts if result.begins_anew else self._counts + result.counts
                    self._is_crawl = self._is_crawl or result.is_finished
                    under_repair = await self._under_repair(context) if result.is_finished else set()
                    await asyncio.to_thread(self._settle, result, under_repair)
                else:
                    self._counts += ScanCounts.of(result)
                    listener(result)

    def _settle(self, checkpoint: Checkpoint, under_repair: Set[str]) -> None:
        """Write a checkpoint and the counts up to it in one transaction, so that a crash loses both or neither.

        `under_repair`: hosts on which the crawl that the checkpoint ends has missed nothing.
        """

        def write(tx: Transaction) -> None:
            if checkpoint.is_finished:
                note_missed(tx, self._missed(tx), self._services.clock(), under_repair)
            settle(tx, checkpoint)
            tx.scans.note(self._row.id, self._counts)

        self._services.store.run(write)

    def _note_missed(self, under_repair: Set[str]) -> None:
        """Note what a scan that is no crawl has missed, but for what was seen on these hosts."""
        store, clock = self._services.store, self._services.clock
        store.run(lambda tx: note_missed(tx, self._missed(tx), clock(), under_repair))

    def _missed(self, tx: Transaction) -> list[UnseenFinding]:
        """Return the findings of the source that this scan, which is complete, has not seen."""
        if self._is_crawl:
            return missed_in_crawl(tx, self._row.source)
        return missed_in_scan(tx, self._row.source, self._counts)

    async def _under_repair(self, context: ScanContext) -> Set[str]:
        """Return the hosts that are under repair among those on which the scan is about to miss findings."""

        # Whoever writes lists them anew: asking sites takes seconds, without a transaction, in which another source or
        # a recheck may have seen one of them.
        def read() -> list[UnseenFinding]:
            with self._services.store.read() as tx:
                return self._missed(tx)

        return await sites_under_repair(self._services, context, await asyncio.to_thread(read))

    def _break_off(self, outcome: ScanOutcome, error: str | None = None) -> None:
        """End a scan that did not complete.

        The next scan repeats, and counts again, what came after the last checkpoint. So for a crawl the counts in the
        row stay, which are those of the last checkpoint: another thread may be writing one at this moment. What ended
        the scan is what its caller must hear of, so nothing is raised here: a row that cannot be ended is closed by
        whoever claims the source next.
        """
        try:
            with self._services.store.read() as tx:
                goes_on = tx.frontier.count(self._row.source) > 0
            self._end(outcome, None if goes_on else self._counts, error)
        except GuardianError as not_ended:
            log.warning("scan_not_ended", source=self._row.source, reason=str(not_ended))

    def _end(self, outcome: ScanOutcome, counts: ScanCounts | None, error: str | None = None) -> Scan:
        """End the row, with these counts; None leaves those of the last checkpoint."""
        now = self._services.clock()
        with self._services.store.begin() as tx:
            return tx.scans.end(self._row.id, now, outcome, counts, error)
