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
from guardian.memory.remembering import FOLDED_AFTER_SCAN
from guardian.model import Answer, Checkpoint, Scan, ScanCounts, ScanOutcome, Skipped, UnseenFinding
from guardian.processes import Claim, Heartbeat
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
        ended = await _scan_claimed(replace(services, store=claimed), row, counts, claim, settings, listener)
    if services.memory is not None:
        await asyncio.to_thread(services.memory.fold, at_least=FOLDED_AFTER_SCAN)
    return ended


async def _scan_claimed(
    services: Services, row: Scan, counts: ScanCounts, claim: Claim, settings: SourceSettings, listener: Listener
) -> Scan:
    """Scan a source whose row has been started, through a store that raises ClaimLost once the claim is lost."""
    is_crawl = False
    try:
        context = await asyncio.to_thread(context_of_scan, services, settings)
        # Closed at once when something ends the scan: no request goes out after the claim is lost.
        async with closed_after(scan(services, context, open_source(settings))) as results:
            async for result in results:
                if claim.is_lost:
                    raise ClaimLost(f"another process has taken over the scan of {settings.name}")

                if isinstance(result, Checkpoint):
                    counts = result.counts if result.begins_anew else counts + result.counts
                    is_crawl = is_crawl or result.is_finished
                    under_repair = await _under_repair(services, context, row, None) if result.is_finished else set()
                    await asyncio.to_thread(_settle, services, row, result, counts, under_repair)
                    continue

                counts += ScanCounts.of(result)
                listener(result)
        under_repair = set() if is_crawl else await _under_repair(services, context, row, counts)
    except ClaimLost:
        # The process that took over has closed this row, and goes on from the last checkpoint.
        raise
    except asyncio.CancelledError:
        _break_off(services, row, ScanOutcome.INTERRUPTED, counts)
        raise
    except Exception as error:
        if isinstance(error, (FetchRefused, FetchFailed)):
            # The source itself could not be read: this counts as what was left out, with its reason.
            counts += ScanCounts.of(error.skipped)
        reason = str(error) if isinstance(error, GuardianError) else internal_error_text(error)
        await asyncio.to_thread(_break_off, services, row, ScanOutcome.FAILED, counts, reason)
        raise
    # What later versions made needless in this scan.
    await asyncio.to_thread(remove_needless, services.store, services.vault)
    if not is_crawl:
        await asyncio.to_thread(_note_missed, services, row, counts, under_repair)
    return await asyncio.to_thread(_end, services, row, ScanOutcome.COMPLETED, counts)


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


def _settle(services: Services, row: Scan, checkpoint: Checkpoint, counts: ScanCounts, under_repair: Set[str]) -> None:
    """Write a checkpoint and the counts up to it in one transaction, so that a crash loses both or neither.

    `under_repair`: hosts on which the crawl that the checkpoint ends has missed nothing.
    """

    def write(tx: Transaction) -> None:
        if checkpoint.is_finished:
            note_missed(tx, missed_in_crawl(tx, row.source), services.clock(), under_repair)
        settle(tx, checkpoint)
        tx.scans.note(row.id, counts)

    services.store.run(write)


def _note_missed(services: Services, row: Scan, counts: ScanCounts, under_repair: Set[str]) -> None:
    services.store.run(
        lambda tx: note_missed(tx, missed_in_scan(tx, row.source, counts), services.clock(), under_repair)
    )


async def _under_repair(services: Services, context: ScanContext, row: Scan, counts: ScanCounts | None) -> Set[str]:
    """Return the hosts that are under repair among those on which a scan is about to miss findings.

    `counts` are those of a complete scan, None for a crawl.
    """

    # Whoever writes lists them anew: asking sites takes seconds, without a transaction, in which another source or a
    # recheck may have seen one of them.
    def read() -> list[UnseenFinding]:
        with services.store.read() as tx:
            return missed_in_crawl(tx, row.source) if counts is None else missed_in_scan(tx, row.source, counts)

    return await sites_under_repair(services, context, await asyncio.to_thread(read))


def _break_off(
    services: Services, row: Scan, outcome: ScanOutcome, counts: ScanCounts, error: str | None = None
) -> None:
    """End a scan that did not complete. The next scan repeats, and counts again, what came after the last checkpoint.

    So for a crawl the counts in the row stay, which are those of the last checkpoint: another thread may be
    writing one at this moment. What ended the scan is what its caller must hear of, so nothing is raised here: a
    row that cannot be ended is closed by whoever claims the source next.
    """
    try:
        with services.store.read() as tx:
            goes_on = tx.frontier.count(row.source) > 0
        _end(services, row, outcome, None if goes_on else counts, error)
    except GuardianError as not_ended:
        log.warning("scan_not_ended", source=row.source, reason=str(not_ended))


def _end(
    services: Services, row: Scan, outcome: ScanOutcome, counts: ScanCounts | None, error: str | None = None
) -> Scan:
    now = services.clock()
    with services.store.begin() as tx:
        return tx.scans.end(row.id, now, outcome, counts, error)
