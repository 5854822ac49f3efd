"""What an answer allows about the next request (RFC 9111): how long it stands, and what to ask with afterwards.

Nothing is guessed from dates.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from guardian.model import Remembered, Response
from guardian.urls.addresses import canonical_url

_DIRECTIVE = re.compile(r'([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;]*)))?')
_LONGEST_SECONDS = 2**31


def may_be_remembered(response: Response) -> bool:
    """Whether the next request may build on this answer: not when it says no-store, or varies by everything."""
    return "no-store" not in _directives(response) and "*" not in response.whole_header("vary")


def fresh_for(response: Response) -> timedelta:
    """How much longer the site calls this answer fresh, from the moment it came: max-age, else Expires, less Age."""
    said = _directives(response)
    if "no-cache" in said or "no-store" in said:
        return timedelta()
    lifetime = _seconds(said["max-age"]) if "max-age" in said else _until_expiry(response)
    return max(timedelta(), timedelta(seconds=lifetime - _seconds(response.header("age"))))


def to_remember(
    response: Response, sha256: str, notes: Mapping[str, Any], pointer: Mapping[str, Any]
) -> tuple[Remembered, ...]:
    """What to keep of an answer that came whole: its validators and `notes` under where it lies.

    An address that redirects there gets no validators, which are not its own, and `pointer` as its notes.
    """
    at_its_place = Remembered(
        url=response.final_url,
        etag=sound(response.header("etag")),
        last_modified=sound(response.header("last-modified")),
        sha256=sha256,
        fetched_at=response.fetched_at,
        checked_at=response.fetched_at,
        extract=json.dumps(notes),
    )
    if canonical_url(response.url) == canonical_url(response.final_url):
        return (at_its_place,)
    led_here = replace(at_its_place, url=response.url, etag=None, last_modified=None, extract=json.dumps(pointer))
    return at_its_place, led_here


def sound(validator: str | None) -> str | None:
    """A validator that can be sent back; a database need not hold others."""
    is_sound = validator and len(validator) < 1_000 and validator.isascii() and validator.isprintable()
    return validator if is_sound else None


def _directives(response: Response) -> dict[str, str]:
    """Cache-Control, all its lines; the first of two equal directives counts, and a bare one has no value."""
    said: dict[str, str] = {}
    for found in _DIRECTIVE.finditer(response.whole_header("cache-control")):
        said.setdefault(found[1].lower(), found[2] or found[3] or "")
    return said


def _until_expiry(response: Response) -> float:
    expires = _moment(response.header("expires"))
    if expires is None:
        return 0
    return (expires - (_moment(response.header("date")) or response.fetched_at)).total_seconds()


def _seconds(text: str | None) -> int:
    """A number of seconds; what is none counts as 0, which is never too trusting."""
    text = (text or "").strip()
    return min(int(text[:12]), _LONGEST_SECONDS) if text.isascii() and text.isdigit() else 0


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None
