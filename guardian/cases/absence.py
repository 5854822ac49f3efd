"""Notes which findings a scan looked for and did not see, so that its return is recognised.

A finding is missed only where its place was looked at: its page was read, or is gone, and nothing went wrong with the
picture. What could not be looked at (an error, a limit, a site that asks to be left alone) says nothing.
"""

from collections.abc import Sequence, Set
from datetime import datetime

from guardian.cases.recording import note_gone
from guardian.model import (
    FETCHED,
    REDIRECTED,
    Answer,
    ScanCounts,
    ScanOutcome,
    Skipped,
    SkipReason,
    UnseenFinding,
    reason_word,
)
from guardian.store import Transaction
from guardian.urls.addresses import host_of

_GONE = frozenset({reason_word(SkipReason.HTTP_STATUS, status) for status in (404, 410)})

_PAGE_WAS_READ = frozenset({FETCHED, REDIRECTED, SkipReason.ELSEWHERE.value, SkipReason.NOT_A_PAGE.value}) | _GONE
"""Outcomes of visiting a page after which it is known what the page shows, if only that it shows nothing any more."""

_LEADS_ELSEWHERE = (REDIRECTED, SkipReason.ELSEWHERE.value)
_FEWEST_PAGES_OF_A_SITE = 2

_HIDES_NOTHING = _PAGE_WAS_READ | {
    reason.value
    for reason in (
        SkipReason.ROBOTS,
        SkipReason.SCHEME,
        SkipReason.BAD_ADDRESS,
        SkipReason.VECTOR,
        SkipReason.TOO_SMALL,
        SkipReason.NO_PICTURES,
        SkipReason.REDIRECTED,
    )
}
"""What may be left out of a source that was seen whole all the same. What robots.txt forbids was never seen."""

_ANOTHER_PICTURE = _GONE | {
    reason.value for reason in (SkipReason.NOT_AN_IMAGE, SkipReason.VECTOR, SkipReason.TOO_SMALL, SkipReason.TOO_PLAIN)
}
"""Problems with a picture that mean that something else lies there now."""


def missed_in_crawl(tx: Transaction, source: str) -> list[UnseenFinding]:
    """Return the findings that a crawl has missed, before its frontier is cleared.

    A page that was not visited is missed only if the crawl saw the whole source: nothing leads there any more. Neither
    it nor a page that leads elsewhere is missed when the crawl read one page alone: a site under repair answers every
    address with the same one.
    """
    unseen = _unseen(tx, source)
    if not unseen:
        return []

    is_site_up = tx.frontier.has_read_pages(source, _FEWEST_PAGES_OF_A_SITE)
    is_whole = is_site_up and tx.frontier.is_only(source, _HIDES_NOTHING)
    missed = []
    for one in unseen:
        outcome = tx.frontier.outcome_of(source, one.page_url)
        if outcome is None:
            is_missed = is_whole
        else:
            is_missed = outcome in _PAGE_WAS_READ and (is_site_up or outcome not in _LEADS_ELSEWHERE)
        if is_missed:
            missed.append(one)
    return missed


def missed_in_scan(tx: Transaction, source: str, counts: ScanCounts) -> list[UnseenFinding]:
    """Return the findings that a complete scan of a page, a folder or a listing has missed."""
    return _unseen(tx, source) if counts.skipped.keys() <= _HIDES_NOTHING else []


def note_missed(
    tx: Transaction, missed: Sequence[UnseenFinding], at: datetime, under_repair: Set[str] = frozenset()
) -> int:
    """Note findings that a scan has missed; return how many. Hosts that are under repair say nothing."""
    ids = [one.id for one in missed if host_of(one.page_url) not in under_repair]
    # Cases before findings, as whoever records a use locks them.
    for case_id in tx.findings.cases_of(ids):
        tx.cases.lock(case_id)
    tx.findings.miss(ids, at)
    note_gone(tx, ids, at)
    return len(ids)


def doubtful_places(result: Answer | Skipped) -> list[tuple[str, str | None]]:
    """Return the pages and pictures of which a result says nothing, so that what was seen there is not missed.

    None in place of a picture stands for all of a page. A picture that the rules ignore is there, though it is not
    recorded, and so are the other addresses of one that the page shows several times.
    """
    if isinstance(result, Skipped):
        hides = result.reason in (SkipReason.NEEDS_BROWSER, SkipReason.WALL, SkipReason.UNREADABLE, SkipReason.BROKEN)
        return [(result.url, None)] if hides else []

    sighting = result.sighting
    is_unclear = result.problem is not None and result.problem.word not in _ANOTHER_PICTURE
    is_partial = result.report is not None and result.report.partial
    addresses = list(result.also_at) if result.judged else []
    if sighting.image_url is not None and (is_unclear or is_partial or any(not match.kept for match in result.judged)):
        addresses += [sighting.image_url, *sighting.also_at]
    return [(sighting.page_url or address, address) for address in addresses]


def _unseen(tx: Transaction, source: str) -> list[UnseenFinding]:
    """Return the findings that were not seen since the last complete scan of their source."""
    last = tx.scans.last(source, outcome=ScanOutcome.COMPLETED)
    # Without an earlier complete scan nobody knows what should have been there.
    return tx.findings.unseen(source, last.ended_at) if last is not None and last.ended_at is not None else []
