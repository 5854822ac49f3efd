"""Remembers images by address: whether to ask their site again, and the matcher's report about their bytes.

A report is used only if it is complete: made under the current recipe, against every asset there is.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from guardian.fetch.http_cache import fresh_for, may_be_remembered, sendable_validator, to_remember
from guardian.model import MatchReport, Remembered, Response, Skipped
from guardian.store import Transaction

LONGEST = timedelta(days=30)
"""Some servers answer "unchanged" for ever; after this time a picture is downloaded again."""


@dataclass(frozen=True, slots=True)
class CachedImage:
    """A picture whose bytes were matched before."""

    remembered: Remembered
    """Has the validators for a conditional request."""

    report: MatchReport | Skipped
    """The matcher's."""

    is_fresh: bool
    """Whether its site said that it need not be asked again yet."""

    asked_already: bool
    """Whether its site was asked within this very scan."""

    status: int | None = None
    """That of the answer in which it came, as `incomplete`."""

    incomplete: str | None = None


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """When a cached image may be used instead of asking its site.

    Sites that show pictures to their own pages only answer a request that names another page otherwise. So neither
    freshness nor an earlier request of this scan counts for a request with another `referring_origin` than the one
    before.
    """

    now: datetime

    longest_freshness: timedelta
    """How long a site's own statement of freshness counts, at most."""

    scan_started_at: datetime | None = None
    """An image that was requested since then is not requested again in this scan."""

    referring_origin: str | None = None
    """The origin of the page that the request names."""


@dataclass(frozen=True, slots=True)
class _Notes:
    """What is remembered of an answer beside its validators.

    `picture` is the address where redirects ended. `referring_origin` is what the request named; None before guardian
    named pages.
    """

    picture: str | None = None
    fresh_until: datetime | None = None
    referring_origin: str | None = None
    status: int | None = None
    incomplete: str | None = None


def recall(tx: Transaction, url: str, recipe: str, policy: CachePolicy) -> CachedImage | None:
    """Return the image last seen at an address if it can be judged without its bytes; None: download it.

    `recipe` names how features are made: an image that was matched under another one must be matched again.
    """
    known = tx.responses.known(url)
    asked_at = known.checked_at if known is not None else None
    notes = _read_notes(known)

    if known is not None and notes.picture is not None and notes.picture != known.url:
        # The address redirected: the validators are those of the address that it led to.
        moved, known = known, tx.responses.known(notes.picture)
        if known is not None and moved.sha256 != known.sha256:
            return None

    if known is None or policy.now >= known.fetched_at + LONGEST:
        return None

    report = tx.candidates.known(known.sha256, recipe)
    if report is None or (isinstance(report, MatchReport) and report.up_to_number < tx.compared_assets.latest_number()):
        return None

    # A clock that was set back must not keep an answer fresh for ever, so each time must also lie in the past.
    now, started = policy.now, policy.scan_started_at
    fresh_until = known.checked_at
    if notes.fresh_until is not None:
        fresh_until = min(notes.fresh_until, known.checked_at + policy.longest_freshness)
    is_same_request = notes.referring_origin == policy.referring_origin
    is_fresh = is_same_request and known.checked_at <= now < fresh_until

    asked_already = False
    if started is not None and asked_at is not None and is_same_request:
        asked_already = started <= min(asked_at, known.checked_at) <= now

    if not (is_fresh or asked_already or known.etag or known.last_modified):
        # Without validators there is no conditional request.
        return None
    return CachedImage(known, report, is_fresh, asked_already, notes.status, notes.incomplete)


def remember(tx: Transaction, response: Response, sha256: str, referring_origin: str | None = None) -> None:
    """Keep the validators of a downloaded picture, under its address and the address where redirects ended.

    `referring_origin` is what the request named.
    """
    if not may_be_remembered(response):
        tx.responses.forget(response.url)
        return

    until = response.fetched_at + fresh_for(response)
    notes = {
        "picture": response.final_url,
        "fresh_until": until.isoformat(),
        "referring_origin": referring_origin,
        "status": response.status,
        "incomplete": response.incomplete,
    }
    for row in to_remember(response, sha256, notes, notes):
        tx.responses.remember(row)


def confirm(tx: Transaction, known: Remembered, response: Response, referring_origin: str | None = None) -> None:
    """Note that the site answered 304: the picture is unchanged, and fresh for as long as this answer says.

    `referring_origin` is what the request named.
    """
    tx.responses.confirm(response.url, response.fetched_at)

    until = response.fetched_at + fresh_for(response)
    before = _read_notes(known)
    notes = json.dumps(
        {
            "picture": known.url,
            "fresh_until": until.isoformat(),
            "referring_origin": referring_origin,
            "status": before.status,
            "incomplete": before.incomplete,
        }
    )
    tx.responses.remember(
        replace(
            known,
            etag=sendable_validator(response.header("etag")) or known.etag,
            checked_at=response.fetched_at,
            extract=notes,
        )
    )


def _read_notes(known: Remembered | None) -> _Notes:
    """Return the notes of a remembered answer; empty ones for those about a page."""
    try:
        notes = json.loads(known.extract) if known is not None and known.extract else {}
        return _Notes(
            picture=str(notes["picture"]),
            fresh_until=datetime.fromisoformat(notes["fresh_until"]),
            referring_origin=notes.get("referring_origin"),
            status=notes.get("status"),
            incomplete=notes.get("incomplete"),
        )
    except (ValueError, KeyError, TypeError):
        return _Notes()
