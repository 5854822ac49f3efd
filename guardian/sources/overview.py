"""A configured source with its last scans and the next one, as lists show it."""

from datetime import datetime

from guardian.model import ScanOutcome
from guardian.sources.rhythm import next_time, rhythm_text
from guardian.sources.settings import SourceSettings
from guardian.store import Transaction
from guardian.views.sources import ListedSource


def listed_source(tx: Transaction, source: SourceSettings, now: datetime, *, is_watching: bool) -> ListedSource:
    """Return a source with its last scans and the next one, which is now when it is overdue.

    `is_watching`: a daemon works on this database.
    """
    last = tx.scans.last(source.name)
    complete = tx.scans.last(source.name, outcome=ScanOutcome.COMPLETED)
    # A daemon that runs waits for the next turn after a failed scan too; one that is started tries again at once.
    counted_from = last if is_watching and last and last.outcome is not ScanOutcome.INTERRUPTED else complete
    following = next_time(source, counted_from.started_at) if counted_from else now
    return ListedSource(
        name=source.name,
        kind=source.kind,
        address=str(getattr(source, "url", None) or getattr(source, "path", "")),
        rhythm=rhythm_text(source),
        last=last,
        last_complete=complete,
        next_at=max(following, now) if following else None,
    )
