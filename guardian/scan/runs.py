"""One pass over a source, with its row in the scans table: what was found, matched and left out, in numbers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from guardian.crawl.checkpoints import settle
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Answer, Checkpoint, Scan, ScanOutcome, Skipped
from guardian.scan.context import context_of_scan
from guardian.scan.pipeline import scan
from guardian.scan.services import Services
from guardian.sources.kinds import open_source
from guardian.sources.settings import SourceSettings

RESPONSES_KEPT_FOR = timedelta(days=90)
"""What no scan has met for so long is asked for whole if it comes back."""

Listener = Callable[[Answer | Skipped], None]


async def scan_source(services: Services, settings: SourceSettings, listener: Listener) -> Scan:
    """Scan one source and keep the account of it; an unexpected end is recorded and raised again."""
    row, counts = await asyncio.to_thread(_start, services, settings.name)
    try:
        context = await asyncio.to_thread(context_of_scan, services, settings)
        async for result in scan(services, context, open_source(settings)):
            if isinstance(result, Checkpoint):
                counts.update(result.counts)
                await asyncio.to_thread(_settle, services, row, result, counts)
                continue
            counts.update(words_for(result))
            listener(result)
    except asyncio.CancelledError:
        _break_off(services, row, ScanOutcome.INTERRUPTED, counts)
        raise
    except Exception as error:
        if isinstance(error, (FetchRefused, FetchFailed)):
            # The source itself could not be read: that is what was not seen, and why.
            counts.update([f"left out: {error.reason}"])
        await asyncio.to_thread(_break_off, services, row, ScanOutcome.FAILED, counts, str(error) or repr(error))
        raise
    return await asyncio.to_thread(_end, services, row, ScanOutcome.COMPLETED, counts)


def words_for(result: Answer | Skipped) -> list[str]:
    """Under which words one result is counted: its outcome, how it came, and the reason of what was not matched."""
    if isinstance(result, Skipped):
        return [f"left out: {result.reason}"]
    words = [result.outcome.value, *([result.cache_status.value] if result.cache_status else [])]
    if result.problem is not None:
        words.append(f"problem: {result.problem.reason}")
    return words


def _start(services: Services, source: str) -> tuple[Scan, Counter[str]]:
    """A new row, and what is counted so far: a crawl that goes on where another scan was cut off goes on counting."""
    with services.store.begin() as tx:
        row = tx.scans.start(source, services.clock())
        before = tx.scans.before(row)
        goes_on = before is not None and before.outcome is not ScanOutcome.COMPLETED and tx.frontier.count(source) > 0
        counts = Counter(before.counts if before is not None and goes_on else {})
        tx.scans.note(row.id, counts)
        return row, counts


def _settle(services: Services, row: Scan, checkpoint: Checkpoint, counts: Counter[str]) -> None:
    """What was answered, and how it is counted, in one step: a crash loses neither or both."""
    with services.store.begin() as tx:
        settle(tx, checkpoint)
        tx.scans.note(row.id, counts)


def _break_off(
    services: Services, row: Scan, outcome: ScanOutcome, counts: Counter[str], error: str | None = None
) -> None:
    """End a scan that did not complete. What a crawl answered since its last checkpoint it answers, and counts, again.

    Up to there the counts stand in the row: a checkpoint may be settled at this moment, on its thread.
    """
    with services.store.read() as tx:
        goes_on = tx.frontier.count(row.source) > 0
    _end(services, row, outcome, None if goes_on else counts, error)


def _end(
    services: Services, row: Scan, outcome: ScanOutcome, counts: Counter[str] | None, error: str | None = None
) -> Scan:
    now = services.clock()
    with services.store.begin() as tx:
        tx.responses.forget_before(now - RESPONSES_KEPT_FOR)
        return tx.scans.end(row.id, now, outcome, counts, error)
