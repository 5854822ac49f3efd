"""Sources, what they yield and what they leave out, as JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guardian.model import Scan, Sighting, Skipped
from guardian.views.contexts import context_json
from guardian.views.scans import scan_json
from guardian.views.timestamps import json_timestamp


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A configured source as lists show it: where it looks, its rhythm in words, its last scans and its next one.

    `last` may be running; None when it was never scanned. `next_at`: None when it is never due again.
    """

    name: str
    kind: str
    address: str
    rhythm: str
    last: Scan | None
    last_complete: Scan | None
    next_at: datetime | None


def listed_source_json(source: ListedSource) -> dict[str, Any]:
    """Return the object of one configured source, as `source list --json` prints it."""
    return {
        "name": source.name,
        "kind": source.kind,
        "address": source.address,
        "rhythm": source.rhythm,
        "last": scan_json(source.last) if source.last else None,
        "last_complete": scan_json(source.last_complete) if source.last_complete else None,
        "next_at": json_timestamp(source.next_at) if source.next_at else None,
    }


def sighting_json(sighting: Sighting) -> dict[str, Any]:
    """Return the object of a picture that a source would yield, as `source try --json` prints it.

    `context` holds only the words that the page has.
    """
    return {
        "image_url": sighting.image_url,
        "page_url": sighting.page_url,
        "also_at": list(sighting.also_at),
        "context": {name: words for name, words in context_json(sighting.context).items() if words},
    }


def skipped_json(skipped: Skipped) -> dict[str, Any]:
    """Return the object of an address that a source leaves out, and why, as `source try --json` prints it."""
    return {"left_out": skipped.url, "reason": skipped.word, "detail": skipped.detail}
