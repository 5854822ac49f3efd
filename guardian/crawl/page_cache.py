"""Caches what was read from pages: an unchanged page costs its site only a 304, and is not parsed again."""

import base64
import json
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from guardian import __version__
from guardian.extract.html import HtmlReading
from guardian.extract.links import Links
from guardian.fetch.http_cache import is_lasting, may_be_remembered, to_remember
from guardian.model import Context, PageCapture, PageImage, ReferrerPolicy, Remembered, Skipped, read_reason
from guardian.store import Transaction
from guardian.urls.addresses import canonical_url

LONGEST = timedelta(days=7)
"""Some servers answer "unchanged" for ever; after this time a page is downloaded and read again."""

_FORMAT = f"{__version__}/7"
"""Changes whenever pages are read differently, so that what an older version read is not used."""

_LARGEST = 200_000
"""Characters of a reading: a longer one would fill the database, so its page is parsed at each scan."""


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page that was read before. `remembered` has the validators for a conditional request, `reading` its content."""

    remembered: Remembered
    reading: HtmlReading


def recall_page(tx: Transaction, url: str, now: datetime) -> KnownPage | None:
    """Return what was read when a page was last downloaded; None: download it again."""
    known = tx.responses.known(url)
    target = _notes(known).get("page")
    if known is not None and isinstance(target, str) and canonical_url(target) != canonical_url(url):
        # The address redirected: the validators are those of the address that it led to.
        known = tx.responses.known(target)

    notes = _notes(known)
    if known is None or not (known.etag or known.last_modified) or "held" not in notes:
        return None
    if notes.get("format") != _FORMAT or not known.fetched_at <= now < known.fetched_at + LONGEST:
        return None

    reading = _unpacked(notes["held"])
    return KnownPage(known, reading) if reading is not None else None


def remember_page(tx: Transaction, page: PageCapture, reading: HtmlReading) -> None:
    """Keep what was read from a page, under its address and the one where redirects ended.

    A page that must not be cached, did not come whole or is too large is forgotten.
    """
    response, held = page.response, _packed(reading)
    if not may_be_remembered(response) or not is_lasting(response) or held is None:
        tx.responses.forget(response.url)
        return

    # The first address only points to the final one, so that the reading is stored once.
    pointer = {"page": response.final_url}
    for row in to_remember(response, page.sha256, pointer | {"format": _FORMAT, "held": held}, pointer):
        tx.responses.remember(row)


def _packed(reading: HtmlReading) -> str | None:
    """Return a reading as text: base85 of zlib of JSON. None when it is too large or has inline pictures."""
    if any(isinstance(one, PageImage) and one.inline is not None for one in reading.seen):
        return None

    fields = {
        "seen": [_as_json(one) for one in reading.seen],
        "pages": reading.links.pages,
        "sheets": reading.links.sheets,
        "more": reading.links.more,
        "frames": reading.links.frames,
        "sign": reading.browser_sign,
        "wall": reading.wall_sign,
        "policy": reading.referrer_policy,
    }
    packed = base64.b85encode(zlib.compress(json.dumps(fields).encode())).decode()
    return packed if len(packed) <= _LARGEST else None


def _as_json(one: PageImage | Skipped) -> list[Any]:
    """Return JSON values that `_from_json` reads; the third is an object exactly for an image."""
    if isinstance(one, Skipped):
        return [one.url, one.word, one.detail]
    words = {name: words for name, words in asdict(one.context).items() if words}
    return [one.image_url, one.also_at, words, one.referrer_policy]


def _unpacked(held: str) -> HtmlReading | None:
    """Return the reading that `_packed` made this text of; None when the text is damaged."""
    try:
        fields = json.loads(zlib.decompress(base64.b85decode(held)))
        seen = [_from_json(one) for one in fields["seen"]]
        links = Links(tuple(fields["pages"]), tuple(fields["sheets"]), fields["more"], tuple(fields["frames"]))
        return HtmlReading(seen, links, fields["sign"], ReferrerPolicy(fields["policy"]), fields["wall"])
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _from_json(values: list[Any]) -> PageImage | Skipped:
    """Return what `_as_json` made these values of. Raises ValueError, TypeError."""
    url, second, third, *policy = values
    if isinstance(third, dict):
        own = ReferrerPolicy(policy[0]) if policy[0] is not None else None
        return PageImage(url, Context(**third), tuple(second), referrer_policy=own)
    reason, status = read_reason(second)
    return Skipped(url, reason, third, status)


def _notes(known: Remembered | None) -> dict[str, Any]:
    """Return the notes of a cached response; empty when there are none, or others than this module writes."""
    try:
        notes = json.loads(known.extract) if known is not None and known.extract else {}
    except ValueError:
        return {}
    return notes if isinstance(notes, dict) else {}
