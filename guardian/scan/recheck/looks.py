"""Looks at one place where a picture was seen: what its page shows now, and what lies at the picture's address.

Nothing is recorded here. A page or file that could not be looked at says nothing, and that is what is returned.
"""

import hashlib
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from guardian.crawl.lists import ListReader
from guardian.crawl.page_reader import MOST_FRAMES, PageReader, PageReading
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import (
    Answer,
    Context,
    Finding,
    JudgedMatch,
    Sighting,
    Skipped,
    SkipReason,
)
from guardian.model.notices import NoticePlace
from guardian.scan.acquire import acquire, is_no_picture
from guardian.scan.context import ScanContext, crawl_context_of
from guardian.scan.services import Services
from guardian.urls.addresses import canonical_url, host_of, registrable_domain
from guardian.urls.keys import page_key, place_keys

LEASE = timedelta(minutes=10)
"""Of a task that looks at places: longer than a page and a picture take with all their pauses.

It is renewed while a site makes guardian wait.
"""

GONE_STATUSES = frozenset({404, 410})


class PageVerdict(Enum):
    """What a page shows. `elsewhere`: it leads to another page, which does not show the picture.

    `no_page`: neither a page nor a feed or sitemap, which are read like pages.
    """

    SHOWS = "shows"
    WITHOUT = "without"
    GONE = "gone"
    ELSEWHERE = "elsewhere"
    HIDDEN = "hidden"
    NO_PAGE = "no page"
    UNREACHABLE = "unreachable"


class FileVerdict(Enum):
    """What lies at the address of a picture. `other`: another picture; `no_picture`: something else."""

    SAME = "same"
    OTHER = "other"
    NO_PICTURE = "no picture"
    GONE = "gone"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses of a page and of a picture on it."""

    page_url: str | None
    """None for a picture that was seen by itself."""

    image_url: str | None
    """None for a picture that is written into the page."""

    digests: frozenset[str]
    """The SHA-256 of the bytes that were seen there and are known to be the picture that is looked for."""

    words: Context = field(default_factory=Context)
    """The words around it."""

    last_seen_at: datetime | None = None
    """When it was last seen there; None where nobody noted that."""


@dataclass(frozen=True, slots=True)
class PageLook:
    """What one look at a page has shown, in words why, and the picture as the page shows it.

    `reason` is why the page could not be looked at. `reading` is all of a page that could be read and does not show it.
    """

    verdict: PageVerdict
    detail: str
    sighting: Sighting | None = None
    reason: SkipReason | None = None
    reading: PageReading | None = None


@dataclass(frozen=True, slots=True)
class FileLook:
    """What one look at a picture's address has shown, and in words why.

    `sha256` are the bytes that lie there; `reason` is why it could not be looked at.
    """

    verdict: FileVerdict
    detail: str
    sha256: str | None = None
    reason: SkipReason | None = None


def place_of(named: NoticePlace, digests: frozenset[str]) -> Place:
    """Return a place that a notice names."""
    page = named.page_url if named.page_url != named.image_url else None
    return Place(page, named.image_url, digests)


async def look_at_page(services: Services, context: ScanContext, place: Place) -> PageLook:
    """Return what the page of a place shows now. It must have a page."""
    url = place.page_url or ""
    crawl = crawl_context_of(services, context)
    reader = PageReader(context.source, crawl)
    try:
        reading = await reader.read(url)
        if _is_no_page(reading):
            return await _look_at_list(ListReader(context.source, crawl), place, url)
        found = _shown(reading.seen, place) or await _shown_in_frames(reader, reading, place)
    except FetchFailed as error:
        if error.status in GONE_STATUSES:
            return PageLook(PageVerdict.GONE, f"the page answers {error.status}")
        return PageLook(PageVerdict.UNREACHABLE, str(error), reason=error.reason)
    except FetchRefused as error:
        hidden = error.reason is SkipReason.UNREADABLE
        verdict = PageVerdict.HIDDEN if hidden else PageVerdict.UNREACHABLE
        return PageLook(verdict, str(error), reason=error.reason)

    if found is not None:
        return PageLook(PageVerdict.SHOWS, "the page shows it", found)
    if reading.hidden_by is not None:
        why = reading.hidden_by
        return PageLook(PageVerdict.HIDDEN, f"what the page shows could not be seen: {why.label}", reason=why)
    if len(_own_frames(reading)) > MOST_FRAMES:
        why = SkipReason.BUDGET
        return PageLook(
            PageVerdict.HIDDEN, f"the page has more than the {MOST_FRAMES} frames that are read", reason=why
        )
    if page_key(canonical_url(reading.final_url)) != page_key(canonical_url(url)):
        detail = f"the page leads to {reading.final_url}, which does not show it"
        return PageLook(PageVerdict.ELSEWHERE, detail, reading=reading)
    return PageLook(PageVerdict.WITHOUT, "the page no longer shows it", reading=reading)


async def look_at_file(services: Services, context: ScanContext, place: Place) -> FileLook:
    """Return what lies at the address of a picture now; it is not compared with any work here."""
    sighting = Sighting(context.source, place.image_url, place.page_url, services.clock())
    try:
        candidate = await acquire(services, context, sighting)
    except FetchFailed as error:
        if error.status in GONE_STATUSES:
            return FileLook(FileVerdict.GONE, f"the picture's address answers {error.status}")
        return FileLook(FileVerdict.UNREACHABLE, str(error), reason=error.reason)
    except FetchRefused as error:
        return FileLook(FileVerdict.UNREACHABLE, str(error), reason=error.reason)

    if candidate.sha256 in place.digests:
        return FileLook(FileVerdict.SAME, "the same file lies at the picture's address", candidate.sha256)
    if candidate.status in GONE_STATUSES:
        return FileLook(FileVerdict.GONE, f"the picture's address answers {candidate.status}", candidate.sha256)
    if is_no_picture(candidate):
        return FileLook(FileVerdict.NO_PICTURE, "no picture lies at the picture's address", candidate.sha256)
    which = "another picture" if place.digests else "a picture"
    return FileLook(FileVerdict.OTHER, f"{which} lies at the picture's address", candidate.sha256)


def matches_with(answer: Answer, asset_ids: Set[str]) -> list[JudgedMatch]:
    """Return the matches of a picture with these assets, or with versions of them, that the rules ask for."""
    return [one for one in answer.judged if one.kept and asset_ids & {one.asset.id, *(v.id for v in one.versions)}]


def shows_work(answer: Answer, asset_ids: Set[str]) -> bool:
    """Return whether a picture was found to show one of these assets, or a version of one, as the rules ask for."""
    return bool(matches_with(answer, asset_ids))


def digests_of(finding: Finding) -> frozenset[str]:
    """Return the digests of the bytes that were seen at a finding."""
    return frozenset(one for one in (finding.candidate_sha256, finding.image_sha256) if one is not None)


def _is_no_page(reading: PageReading) -> bool:
    return any(isinstance(one, Skipped) and one.reason is SkipReason.NOT_A_PAGE for one in reading.seen)


async def _look_at_list(reader: ListReader, place: Place, url: str) -> PageLook:
    """Return whether a feed or sitemap still names the picture of a place. Raises FetchRefused, FetchFailed."""
    try:
        listed = await reader.sitemap(url, 0)
    except FetchFailed as error:
        if error.status is not None:
            raise
        return PageLook(PageVerdict.NO_PAGE, f"{url} is neither a page nor a list of pictures", reason=error.reason)
    found = _shown(listed.seen, place)
    if found is not None:
        return PageLook(PageVerdict.SHOWS, "the list names it", found)
    return PageLook(PageVerdict.WITHOUT, "the list no longer names it")


def _shown(seen: Sequence[Sighting | Skipped], place: Place) -> Sighting | None:
    return next((one for one in seen if isinstance(one, Sighting) and _is_it(one, place)), None)


def shown_for(seen: Sequence[Sighting | Skipped], place: Place) -> Sighting | None:
    """Return the picture of a place as a sitemap or feed names it for the page of the place; None where none does."""
    page = page_key(canonical_url(place.page_url or ""))
    of_page = [
        one
        for one in seen
        if isinstance(one, Sighting) and one.page_url and page_key(canonical_url(one.page_url)) == page
    ]
    return _shown(of_page, place)


async def _shown_in_frames(reader: PageReader, reading: PageReading, place: Place) -> Sighting | None:
    """Return the picture as a frame of the page's own site shows it; a frame that is gone shows nothing.

    Raises FetchFailed, FetchRefused for a frame that could not be looked at.
    """
    for url in _own_frames(reading)[:MOST_FRAMES]:
        try:
            found = _shown((await reader.read(url)).seen, place)
        except FetchFailed as error:
            if error.status in GONE_STATUSES:
                continue
            raise
        if found is not None:
            return found
    return None


def _own_frames(reading: PageReading) -> list[str]:
    """Return the frames of a page that are pages of its own site."""
    site = registrable_domain(host_of(reading.final_url))
    return [url for url in reading.frames if registrable_domain(host_of(url)) == site]


def _is_it(sighting: Sighting, place: Place) -> bool:
    """Return whether a picture of a page is the one of a place: at its address, at another rendition's, or inside."""
    if place.image_url is None:
        return sighting.inline is not None and hashlib.sha256(sighting.inline).hexdigest() in place.digests
    page = place.page_url or place.image_url
    wanted = place_keys(page, place.image_url).picture
    urls = [url for url in (sighting.image_url, *sighting.also_at) if url is not None]
    return any(place_keys(page, canonical_url(url)).picture == wanted for url in urls)
