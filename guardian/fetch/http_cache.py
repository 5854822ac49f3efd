"""HTTP caching (RFC 9111): how long an answer stays fresh, and with what to revalidate it afterwards.

Only what the server states counts: no freshness is guessed from Last-Modified (RFC 9111, 4.2.2).
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
    """Return whether an answer may be stored: not when it says no-store, or that it varies by everything."""
    return "no-store" not in _directives(response) and "*" not in response.whole_header("vary")


def is_lasting(response: Response) -> bool:
    """Return whether an answer may stand for what lies at its address: a success that came whole, or a 304.

    A picture that came with an error status, or a part of one, holds only for the moment (RFC 9111, 3.3).
    """
    return response.not_modified or (response.status in (200, 203) and response.incomplete is None)


def fresh_for(response: Response) -> timedelta:
    """Return how long an answer stays fresh from the moment it came: max-age, else Expires, less its Age.

    Zero when the answer says no-cache or no-store, states no lifetime, or is not lasting.
    """
    said = _directives(response)
    if not is_lasting(response) or "no-cache" in said or "no-store" in said:
        return timedelta()
    lifetime = _seconds(said["max-age"]) if "max-age" in said else _until_expiry(response)
    # Many servers say Expires in 9999 for "never": by a clock of ours that is ahead of theirs, no date comes so late.
    seconds = min(lifetime, _LONGEST_SECONDS) - _seconds(response.header("age"))
    return max(timedelta(), timedelta(seconds=seconds))


def to_remember(
    response: Response, sha256: str, notes: Mapping[str, Any], pointer: Mapping[str, Any]
) -> tuple[Remembered, ...]:
    """Return what to store of an answer: its validators if it is lasting, and `notes` (as JSON), under its final URL.

    Where a redirect led there, the URL that was asked is stored as well, with `pointer` as its notes and without
    validators, which belong to the final URL.
    """
    at_its_place = Remembered(
        url=response.final_url,
        etag=sendable_validator(response.header("etag")) if is_lasting(response) else None,
        last_modified=_lasting_last_modified(response) if is_lasting(response) else None,
        sha256=sha256,
        fetched_at=response.fetched_at,
        checked_at=response.fetched_at,
        extract=json.dumps(notes),
    )
    # A redirect that only corrects the spelling leads to what canonical_url calls the same address.
    if canonical_url(response.url) == canonical_url(response.final_url):
        return (at_its_place,)
    led_here = replace(at_its_place, url=response.url, etag=None, last_modified=None, extract=json.dumps(pointer))
    return at_its_place, led_here


def sendable_validator(validator: str | None) -> str | None:
    """Return an ETag or Last-Modified value if it can be sent back in a request header, else None."""
    is_sendable = validator and len(validator) < 1_000 and validator.isascii() and validator.isprintable()
    return validator if is_sendable else None


def _lasting_last_modified(response: Response) -> str | None:
    """Return an answer's Last-Modified value if a later change must show in it, else None (RFC 9110, 8.8.2.2).

    It counts whole seconds: what was changed in the second of the answer can change again under the same value.
    """
    modified = _parsed_date(response.header("last-modified"))
    if modified is not None and _answered_at(response) - modified < timedelta(seconds=1):
        return None
    return sendable_validator(response.header("last-modified"))


def _directives(response: Response) -> dict[str, str]:
    """Return the directives of all Cache-Control lines, names in lower case; one without a value has "".

    Of two equal directives the first counts.
    """
    said: dict[str, str] = {}
    for found in _DIRECTIVE.finditer(response.whole_header("cache-control")):
        said.setdefault(found[1].lower(), found[2] or found[3] or "")
    return said


def _until_expiry(response: Response) -> float:
    """Return the seconds from Date, or from when the answer came, to Expires; 0 when it has no valid Expires."""
    expires = _parsed_date(response.header("expires"))
    if expires is None:
        return 0
    return (expires - _answered_at(response)).total_seconds()


def _answered_at(response: Response) -> datetime:
    """Return the answer's Date, or when it came where it has no valid one."""
    return _parsed_date(response.header("date")) or response.fetched_at


def _seconds(text: str | None) -> int:
    """Return a header's number of seconds. What is not a number counts as 0, which only costs another request."""
    text = (text or "").strip()
    return min(int(text[:12]), _LONGEST_SECONDS) if text.isascii() and text.isdigit() else 0


def _parsed_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else None
