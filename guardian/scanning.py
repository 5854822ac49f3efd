"""One pass over a source, with its row in the scans table: what was found, matched and left out, in numbers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from guardian.answers import Answer
from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch import Errand, Stranger
from guardian.fetch.credentials import read_credentials
from guardian.model import Omission, Scan
from guardian.pipeline import scan
from guardian.sources import Milestone, SourceSettings, open_source
from guardian.walk import Walk

REMEMBERED_FOR = timedelta(days=90)
"""What no scan has met for so long is asked for whole if it comes back."""

Listener = Callable[[Answer | Omission], None]


async def scan_source(walk: Walk, settings: SourceSettings, listener: Listener) -> Scan:
    """Scan one source and keep the account of it; an unexpected end is recorded and raised again."""
    row, counts = await asyncio.to_thread(_start, walk, settings.name)
    try:
        errand = await asyncio.to_thread(_errand, walk, settings)
        async for result in scan(replace(walk, stranger=errand), open_source(settings)):
            if isinstance(result, Milestone):
                counts.update(result.counts)
                await asyncio.to_thread(_settle, walk, row, result, counts)
                continue
            counts.update(words_for(result))
            listener(result)
    except asyncio.CancelledError:
        _break_off(walk, row, "interrupted", counts)
        raise
    except Exception as error:
        if isinstance(error, (FetchRefused, FetchFailed)):
            # The source itself could not be read: that is what was not seen, and why.
            counts.update([f"left out: {error.reason}"])
        await asyncio.to_thread(_break_off, walk, row, "failed", counts, str(error) or repr(error))
        raise
    return await asyncio.to_thread(_end, walk, row, "completed", counts)


def words_for(result: Answer | Omission) -> list[str]:
    """Under which words one result is counted: its outcome, how it came, and the reason of what was not matched."""
    if isinstance(result, Omission):
        return [f"left out: {result.reason}"]
    words = [result.outcome.value, *([result.came.value] if result.came else [])]
    if result.problem is not None:
        words.append(f"problem: {result.problem.reason}")
    return words


def _errand(walk: Walk, settings: SourceSettings) -> Errand:
    """This scan's way to the network: the shared one, with the source's own credentials. Raises UsageError."""
    shown = read_credentials(settings.credentials, walk.environment) if settings.credentials else None
    assert isinstance(walk.stranger, Stranger), "each scan has an errand of its own"
    return Errand(walk.stranger, shown)


def _start(walk: Walk, source: str) -> tuple[Scan, Counter[str]]:
    """A new row, and what is counted so far: a crawl that goes on where another scan was cut off goes on counting."""
    with walk.store.begin() as tx:
        row = tx.scans.start(source, walk.clock())
        before = tx.scans.before(row)
        goes_on = before is not None and before.outcome != "completed" and tx.frontier.count(source) > 0
        counts = Counter(before.counts if before is not None and goes_on else {})
        tx.scans.note(row.id, counts)
        return row, counts


def _settle(walk: Walk, row: Scan, milestone: Milestone, counts: Counter[str]) -> None:
    """What was answered, and how it is counted, in one step: a crash loses neither or both."""
    with walk.store.begin() as tx:
        milestone.settle(tx)
        tx.scans.note(row.id, counts)


def _break_off(walk: Walk, row: Scan, outcome: str, counts: Counter[str], error: str | None = None) -> None:
    """The end before the end. What a crawl answered since its last milestone it answers, and counts, again.

    Up to there the counts stand in the row: a milestone may be settled at this moment, on its thread.
    """
    with walk.store.read() as tx:
        goes_on = tx.frontier.count(row.source) > 0
    _end(walk, row, outcome, None if goes_on else counts, error)


def _end(walk: Walk, row: Scan, outcome: str, counts: Counter[str] | None, error: str | None = None) -> Scan:
    now = walk.clock()
    with walk.store.begin() as tx:
        tx.responses.forget_before(now - REMEMBERED_FOR)
        return tx.scans.end(row.id, now, outcome, counts, error)
