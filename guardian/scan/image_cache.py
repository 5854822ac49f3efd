"""Remembers images by address: whether their site must be asked again, and what the matcher said about the bytes.

Only a cached report that says all there is to say is used: made under this recipe, against every asset there is.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from guardian.fetch.http_cache import fresh_for, may_be_remembered, sendable_validator, to_remember
from guardian.model import MatchReport, Remembered, Response, Skipped
from guardian.store import Transaction

LONGEST = timedelta(days=30)
"""Some servers say "unchanged" for ever; after so long a picture is asked for whole."""


@dataclass(frozen=True, slots=True)
class CachedImage:
    """A picture whose bytes were matched before.

    `remembered` holds the validators to ask with, `report` what the matcher said about the bytes; `is_fresh`:
    its site said that asking again is not needed yet; `asked_already`: the site was asked within this very scan.
    """

    remembered: Remembered
    report: MatchReport | Skipped
    is_fresh: bool
    asked_already: bool


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """When a cached image may stand in for its site.

    `longest_freshness` bounds how long a site's own word about freshness is taken. What was asked for since
    `scan_started_at` is not asked for again in that scan.
    """

    now: datetime
    longest_freshness: timedelta
    scan_started_at: datetime | None = None


def recall(tx: Transaction, url: str, recipe: str, policy: CachePolicy) -> CachedImage | None:
    """Return what an address last held, if that needs no bytes to be judged; None: ask for the picture whole.

    `recipe` names how features are made: what was matched under another one must be matched again.
    """
    known = tx.responses.known(url)
    asked_at = known.checked_at if known is not None else None
    target, fresh_until = _notes(known)
    if known is not None and target is not None and target != known.url:
        # The address led elsewhere: validators belong to where the picture lies.
        moved, known = known, tx.responses.known(target)
        if known is not None and moved.sha256 != known.sha256:
            return None
    if known is None or policy.now >= known.fetched_at + LONGEST:
        return None

    report = tx.candidates.known(known.sha256, recipe)
    if report is None or (isinstance(report, MatchReport) and report.up_to_number < tx.assets.latest_number()):
        return None

    # A clock that was turned back must not keep an answer fresh for ever.
    now, started = policy.now, policy.scan_started_at
    fresh_until = (
        min(fresh_until, known.checked_at + policy.longest_freshness) if fresh_until is not None else known.checked_at
    )
    is_fresh = known.checked_at <= now < fresh_until
    asked_already = False
    if started is not None and asked_at is not None:
        asked_already = started <= min(asked_at, known.checked_at) <= now

    if not (is_fresh or asked_already or known.etag or known.last_modified):
        # The site could only be asked for the whole picture.
        return None
    return CachedImage(known, report, is_fresh, asked_already)


def remember(tx: Transaction, response: Response, sha256: str) -> None:
    """Keep the validators of a picture that came whole, under its address and under where redirects ended."""
    if not may_be_remembered(response):
        tx.responses.forget(response.url)
        return
    until = response.fetched_at + fresh_for(response)
    notes = {"picture": response.final_url, "fresh_until": until.isoformat()}
    for row in to_remember(response, sha256, notes, notes):
        tx.responses.remember(row)


def confirm(tx: Transaction, known: Remembered, response: Response) -> None:
    """Note that the site said 304: what is known is still so, and fresh for as long as it now says."""
    tx.responses.confirm(response.url, response.fetched_at)
    until = response.fetched_at + fresh_for(response)
    notes = json.dumps({"picture": known.url, "fresh_until": until.isoformat()})
    tx.responses.remember(
        replace(
            known,
            etag=sendable_validator(response.header("etag")) or known.etag,
            checked_at=response.fetched_at,
            extract=notes,
        )
    )


def _notes(known: Remembered | None) -> tuple[str | None, datetime | None]:
    """Return where the picture lay and until when it is fresh; nothing from notes that a reader of pages wrote."""
    try:
        notes = json.loads(known.extract) if known is not None and known.extract else {}
        return str(notes["picture"]), datetime.fromisoformat(notes["fresh_until"])
    except (ValueError, KeyError, TypeError):
        return None, None
