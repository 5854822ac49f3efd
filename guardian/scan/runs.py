"""One pass over a source, with its row in the scans table: what was found, matched and left out, in numbers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from guardian.crawl.context import Checkpoint
from guardian.errors import ClaimLost, FetchFailed, FetchRefused
from guardian.fetch.credentials import read_credentials
from guardian.fetch.session import ScanSession
from guardian.fetch.web import WebClient
from guardian.model import Answer, Scan, Skipped
from guardian.processes import Claim, Heartbeat
from guardian.scan.pipeline import scan
from guardian.scan.services import Services
from guardian.sources.kinds import open_source
from guardian.sources.settings import SourceSettings

RESPONSES_KEPT_FOR = timedelta(days=90)
"""What no scan has met for so long is asked for whole if it comes back."""

Listener = Callable[[Answer | Skipped], None]


async def scan_source(services: Services, heartbeat: Heartbeat, settings: SourceSettings, listener: Listener) -> Scan:
    """Claim one source, scan it and keep the account of it; an unexpected end is recorded and raised again.

    Raises SourceClaimed while another scan of it runs, ClaimLost when another process has taken this one over.
    """
    row, counts = await asyncio.to_thread(_start, services, heartbeat, settings.name)
    # From here on nothing is written unless the scan is still this process's own.
    claimed = services.store.under(lambda tx: tx.scans.require(row.id, heartbeat.id))
    with heartbeat.renewing(row.id) as claim:
        return await _scan_claimed(replace(services, store=claimed), row, counts, claim, settings, listener)


async def _scan_claimed(
    services: Services, row: Scan, counts: Counter[str], claim: Claim, settings: SourceSettings, listener: Listener
) -> Scan:
    try:
        session = await asyncio.to_thread(_session, services, settings)
        async for result in scan(replace(services, web=session), open_source(settings)):
            if claim.is_lost:
                raise ClaimLost(f"another process has taken over the scan of {settings.name}")
            if isinstance(result, Checkpoint):
                counts.update(result.counts)
                await asyncio.to_thread(_settle, services, row, result, counts)
                continue
            counts.update(words_for(result))
            listener(result)
    except ClaimLost:
        # Whoever took over has closed the account, and goes on from the last checkpoint.
        raise
    except asyncio.CancelledError:
        _break_off(services, row, "interrupted", counts)
        raise
    except Exception as error:
        if isinstance(error, (FetchRefused, FetchFailed)):
            # The source itself could not be read: that is what was not seen, and why.
            counts.update([f"left out: {error.reason}"])
        await asyncio.to_thread(_break_off, services, row, "failed", counts, str(error) or repr(error))
        raise
    return await asyncio.to_thread(_end, services, row, "completed", counts)


def words_for(result: Answer | Skipped) -> list[str]:
    """Under which words one result is counted: its outcome, how it came, and the reason of what was not matched."""
    if isinstance(result, Skipped):
        return [f"left out: {result.reason}"]
    words = [result.outcome.value, *([result.cache_status.value] if result.cache_status else [])]
    if result.problem is not None:
        words.append(f"problem: {result.problem.reason}")
    return words


def _session(services: Services, settings: SourceSettings) -> ScanSession:
    """This scan's way to the network: the shared one, with the source's own credentials. Raises UsageError."""
    shown = read_credentials(settings.credentials, services.environment) if settings.credentials else None
    assert isinstance(services.web, WebClient), "each scan has an errand of its own"
    return ScanSession(services.web, shown)


def _start(services: Services, heartbeat: Heartbeat, source: str) -> tuple[Scan, Counter[str]]:
    """A new row, and what is counted so far: a crawl that goes on where another scan was cut off goes on counting."""
    with services.store.begin() as tx:
        row = tx.scans.start(source, services.clock(), heartbeat.id, heartbeat.lease)
        before = tx.scans.before(row)
        goes_on = before is not None and before.outcome != "completed" and tx.frontier.count(source) > 0
        counts = Counter(before.counts if before is not None and goes_on else {})
        tx.scans.note(row.id, counts)
        return row, counts


def _settle(services: Services, row: Scan, checkpoint: Checkpoint, counts: Counter[str]) -> None:
    """What was answered, and how it is counted, in one step: a crash loses neither or both."""
    with services.store.begin() as tx:
        checkpoint.settle(tx)
        tx.scans.note(row.id, counts)


def _break_off(services: Services, row: Scan, outcome: str, counts: Counter[str], error: str | None = None) -> None:
    """The end before the end. What a crawl answered since its last milestone it answers, and counts, again.

    Up to there the counts stand in the row: a milestone may be settled at this moment, on its thread.
    """
    with services.store.read() as tx:
        goes_on = tx.frontier.count(row.source) > 0
    _end(services, row, outcome, None if goes_on else counts, error)


def _end(services: Services, row: Scan, outcome: str, counts: Counter[str] | None, error: str | None = None) -> Scan:
    now = services.clock()
    with services.store.begin() as tx:
        tx.responses.forget_before(now - RESPONSES_KEPT_FOR)
        return tx.scans.end(row.id, now, outcome, counts, error)
