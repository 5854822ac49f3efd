"""One pass over a source, with its row in the scans table: what was found, matched and left out, in numbers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from guardian.answers import Answer
from guardian.fetch import Errand, Stranger
from guardian.fetch.credentials import read_credentials
from guardian.model import Omission, Scan
from guardian.pipeline import Walk, scan
from guardian.sources import SourceSettings, open_source

Listener = Callable[[Answer | Omission], None]


async def scan_source(walk: Walk, settings: SourceSettings, listener: Listener) -> Scan:
    """Scan one source and keep the account of it; an unexpected end is recorded and raised again."""
    counts: Counter[str] = Counter()
    row = await asyncio.to_thread(_start, walk, settings.name)
    try:
        # Pages are counted where they are asked for, also those without a single picture.
        errand = await asyncio.to_thread(_errand, walk, settings, counts)
        async for result in scan(replace(walk, stranger=errand), open_source(settings)):
            counts.update(words_for(result))
            listener(result)
    except asyncio.CancelledError:
        _end(walk, row, "interrupted", counts)
        raise
    except Exception as error:
        await asyncio.to_thread(_end, walk, row, "failed", counts, str(error) or repr(error))
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


def _errand(walk: Walk, settings: SourceSettings, counts: Counter[str]) -> Errand:
    """This scan's way to the network: the shared one, with the source's own credentials. Raises UsageError."""
    shown = read_credentials(settings.credentials, walk.environment) if settings.credentials else None
    assert isinstance(walk.stranger, Stranger), "each scan has an errand of its own"
    return Errand(walk.stranger, counts, shown)


def _start(walk: Walk, source: str) -> Scan:
    with walk.store.begin() as tx:
        return tx.scans.start(source, walk.clock())


def _end(walk: Walk, row: Scan, outcome: str, counts: Counter[str], error: str | None = None) -> Scan:
    with walk.store.begin() as tx:
        return tx.scans.end(row.id, walk.clock(), outcome, counts, error)
