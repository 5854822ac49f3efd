"""One pass over a source, with its row in the scans table: what was found, matched and left out, in numbers."""

import asyncio
from collections import Counter
from collections.abc import Callable

from guardian.answers import Answer
from guardian.model import Omission, Scan
from guardian.pipeline import Walk, scan
from guardian.sources import SourceSettings, open_source

Listener = Callable[[Answer | Omission], None]


async def scan_source(walk: Walk, settings: SourceSettings, listener: Listener) -> Scan:
    """Scan one source and keep the account of it; an unexpected end is recorded and raised again."""
    counts: Counter[str] = Counter()
    row = await asyncio.to_thread(_start, walk, settings.name)
    try:
        async for result in scan(walk, open_source(settings)):
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
    """Under which words one result is counted: its outcome, and the reason of anything that was not matched."""
    if isinstance(result, Omission):
        return [f"left out: {result.reason}"]
    words = [result.outcome.value]
    if result.problem is not None:
        words.append(f"problem: {result.problem.reason}")
    return words


def _start(walk: Walk, source: str) -> Scan:
    with walk.store.begin() as tx:
        return tx.scans.start(source, walk.clock())


def _end(walk: Walk, row: Scan, outcome: str, counts: Counter[str], error: str | None = None) -> Scan:
    with walk.store.begin() as tx:
        return tx.scans.end(row.id, walk.clock(), outcome, counts, error)
