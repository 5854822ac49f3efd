"""What is remembered of pages, so that an unchanged one costs its site a 304 and guardian no reading."""

import base64
import json
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from guardian import __version__
from guardian.extract.html import HtmlReading
from guardian.extract.links import Links
from guardian.fetch.http_cache import may_be_remembered, to_remember
from guardian.model import Context, Remembered, Response, Sighting, Skipped, read_reason
from guardian.store import Transaction
from guardian.urls.addresses import canonical_url

LONGEST = timedelta(days=7)
"""Some servers say "unchanged" for ever; after so long a page is read anew."""

_FORMAT = f"{__version__}/3"
"""Counts on when pages are read otherwise: what was read before is then read anew."""
_LARGEST = 200_000


@dataclass(frozen=True, slots=True)
class KnownPage:
    """`remembered` holds what to ask with, `reading` what the page held; its sightings still lack their page."""

    remembered: Remembered
    reading: HtmlReading


def recall_page(tx: Transaction, url: str, source: str, now: datetime) -> KnownPage | None:
    """What a page held when it last came whole; None: ask for it whole."""
    known = tx.responses.known(url)
    target = _notes(known).get("page")
    if known is not None and isinstance(target, str) and canonical_url(target) != canonical_url(url):
        # The address led elsewhere: validators belong to where the page lies.
        known = tx.responses.known(target)
    notes = _notes(known)
    if known is None or not (known.etag or known.last_modified) or "held" not in notes:
        return None
    if notes.get("format") != _FORMAT or not known.fetched_at <= now < known.fetched_at + LONGEST:
        return None
    reading = _unpacked(notes["held"], source, now)
    return KnownPage(known, reading) if reading is not None else None


def remember_page(tx: Transaction, response: Response, reading: HtmlReading, sha256: str) -> None:
    """Keep what a page held, under its address and where redirects ended. Forgets what must not be remembered."""
    held = _packed(reading)
    if not may_be_remembered(response) or held is None:
        tx.responses.forget(response.url)
        return
    pointer = {"page": response.final_url}
    for row in to_remember(response, sha256, pointer | {"format": _FORMAT, "held": held}, pointer):
        tx.responses.remember(row)


def as_seen_again(known: KnownPage, response: Response) -> HtmlReading:
    """What an unchanged page holds, seen now. `response` is the 304, which has no body."""
    seen = [
        replace(one, page_url=response.final_url, seen_at=response.fetched_at, page=response)
        if isinstance(one, Sighting)
        else one
        for one in known.reading.seen
    ]
    return replace(known.reading, seen=seen)


def _packed(reading: HtmlReading) -> str | None:
    """A reading as text for the database; None when it is too large for that, or has pictures inside the page."""
    if any(isinstance(one, Sighting) and one.inline is not None for one in reading.seen):
        return None
    facts = {
        "seen": [_facts(one) for one in reading.seen],
        "pages": reading.links.pages,
        "sheets": reading.links.sheets,
        "more": reading.links.more,
        "sign": reading.browser_sign,
    }
    packed = base64.b85encode(zlib.compress(json.dumps(facts).encode())).decode()
    return packed if len(packed) <= _LARGEST else None


def _facts(one: Sighting | Skipped) -> list[Any]:
    if isinstance(one, Skipped):
        return [one.url, one.word, one.detail]
    return [one.image_url, one.also_at, {name: words for name, words in asdict(one.context).items() if words}]


def _unpacked(held: str, source: str, now: datetime) -> HtmlReading | None:
    """The reading; None for what another program or a damaged disk has written."""
    try:
        facts = json.loads(zlib.decompress(base64.b85decode(held)))
        seen = [_thing(one, source, now) for one in facts["seen"]]
        links = Links(tuple(facts["pages"]), tuple(facts["sheets"]), facts["more"])
        return HtmlReading(seen, links, facts["sign"])
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _thing(facts: list[Any], source: str, now: datetime) -> Sighting | Skipped:
    url, second, third = facts
    if isinstance(third, dict):
        return Sighting(source, url, None, now, Context(**third), tuple(second))
    reason, status = read_reason(second)
    return Skipped(url, reason, third, status)


def _notes(known: Remembered | None) -> dict[str, Any]:
    try:
        notes = json.loads(known.extract) if known is not None and known.extract else {}
    except ValueError:
        return {}
    return notes if isinstance(notes, dict) else {}
