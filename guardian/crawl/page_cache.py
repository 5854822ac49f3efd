"""Remembers what pages held, so that an unchanged one costs its site a 304 and guardian no parsing."""

import base64
import json
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from guardian import __version__
from guardian.extract.html import HtmlReading
from guardian.extract.links import Links
from guardian.fetch.http_cache import may_be_remembered, to_remember
from guardian.model import Context, PageCapture, PageImage, Remembered, Skipped, read_reason
from guardian.store import Transaction
from guardian.urls.addresses import canonical_url

LONGEST = timedelta(days=7)
"""Some servers say "unchanged" for ever; after so long a page is read anew."""

_FORMAT = f"{__version__}/3"
"""Changes whenever pages are read differently, so that what an older version read is read anew."""

_LARGEST = 200_000
"""Characters; a page that holds more is parsed at each scan rather than filling the database."""


@dataclass(frozen=True, slots=True)
class KnownPage:
    """`remembered` holds the validators to ask with, `reading` what the page held when it last came whole."""

    remembered: Remembered
    reading: HtmlReading


def recall_page(tx: Transaction, url: str, now: datetime) -> KnownPage | None:
    """Return what a page held when it last came whole; None: ask for it whole."""
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

    reading = _unpacked(notes["held"])
    return KnownPage(known, reading) if reading is not None else None


def remember_page(tx: Transaction, page: PageCapture, reading: HtmlReading) -> None:
    """Keep what a page held, under its address and where redirects ended. Forgets what must not be remembered."""
    response, held = page.response, _packed(reading)
    if not may_be_remembered(response) or held is None:
        tx.responses.forget(response.url)
        return
    pointer = {"page": response.final_url}
    for row in to_remember(response, page.sha256, pointer | {"format": _FORMAT, "held": held}, pointer):
        tx.responses.remember(row)


def _packed(reading: HtmlReading) -> str | None:
    """Return a reading as text for the database; None when it is too large or has pictures inside the page."""
    if any(isinstance(one, PageImage) and one.inline is not None for one in reading.seen):
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


def _facts(one: PageImage | Skipped) -> list[Any]:
    if isinstance(one, Skipped):
        return [one.url, one.word, one.detail]
    return [one.image_url, one.also_at, {name: words for name, words in asdict(one.context).items() if words}]


def _unpacked(held: str) -> HtmlReading | None:
    """Return the reading; None for what another program or a damaged disk has written."""
    try:
        facts = json.loads(zlib.decompress(base64.b85decode(held)))
        seen = [_seen(one) for one in facts["seen"]]
        links = Links(tuple(facts["pages"]), tuple(facts["sheets"]), facts["more"])
        return HtmlReading(seen, links, facts["sign"])
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _seen(facts: list[Any]) -> PageImage | Skipped:
    url, second, third = facts
    if isinstance(third, dict):
        return PageImage(url, Context(**third), tuple(second))
    reason, status = read_reason(second)
    return Skipped(url, reason, third, status)


def _notes(known: Remembered | None) -> dict[str, Any]:
    try:
        notes = json.loads(known.extract) if known is not None and known.extract else {}
    except ValueError:
        return {}
    return notes if isinstance(notes, dict) else {}
