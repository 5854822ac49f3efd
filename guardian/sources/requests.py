"""Scans that people ask for, beside those that follow from the rhythm of a source."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from unicodedata import normalize

from guardian.errors import UsageError
from guardian.model import Actor, ScanRequest
from guardian.sources.settings import SourceSettings
from guardian.store import Transaction


def find_source(sources: Iterable[SourceSettings], name: str) -> SourceSettings | None:
    """Return the source of this name, however Unicode writes its accents; None when there is none."""
    wanted = normalize("NFC", name)
    return next((source for source in sources if normalize("NFC", source.name) == wanted), None)


def source_named(sources: Sequence[SourceSettings], name: str) -> SourceSettings:
    """Return the source of this name. Raises UsageError when there is none."""
    source = find_source(sources, name)
    if source is not None:
        return source
    known = ", ".join(source.name for source in sources) or "none"
    raise UsageError(f"there is no source {name!r} in the configuration; sources are: {known}")


def ask_for_scan(tx: Transaction, actor: Actor, source: SourceSettings, at: datetime) -> ScanRequest:
    """Have a source scanned by the next process that can, after a scan that runs now; return the request."""
    request = ScanRequest(source.name, at, actor.name)
    tx.scan_requests.add(request)
    tx.audit.add(actor, "source.scan_asked", source.name, at)
    return request
