"""Searches the site of places that are gone for the picture: their pages and others may show it at another address."""

import asyncio
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from os.path import commonpath
from urllib.parse import urljoin, urlsplit

from guardian.crawl.crawler import same_host
from guardian.crawl.page_reader import PageReader, PageReading
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Answer, LicenceStatus, Sighting, SkipReason
from guardian.model.notices import PlaceLook, PlaceState
from guardian.scan.context import ScanContext, crawl_context_of
from guardian.scan.pipeline import answer_and_record
from guardian.scan.recheck.looks import GONE_STATUSES, matches_with
from guardian.scan.services import Services
from guardian.urls.keys import page_key

MOST_PAGES, MOST_PICTURES = 10, 50
"""How many unknown pages of one site a recheck visits, and how many of their pictures it looks at.

The same limits hold, separately, for pages that are known already.
"""

_AT_ONCE = 4

_HIDES_NOTHING = frozenset(
    {
        SkipReason.NOT_AN_IMAGE,
        SkipReason.VECTOR,
        SkipReason.TOO_SMALL,
        SkipReason.TOO_PLAIN,
        SkipReason.NOT_A_PAGE,
        SkipReason.ROBOTS,
        SkipReason.SCHEME,
        SkipReason.BAD_ADDRESS,
    }
)
"""Why something was left out that is no picture, or that a scan does not look at either."""


@dataclass(frozen=True, slots=True)
class SiteSearch:
    """What is looked for on a site, and where not.

    `asset_ids` are those of the work. `known` are keys of pages that were looked at already. `belongs` tells whether a
    page belongs to the operator who is asked.
    """

    asset_ids: Set[str]
    known: Set[str]
    belongs: Callable[[str], bool]


async def search_site(
    services: Services, context: ScanContext, pages: Sequence[str], search: SiteSearch
) -> list[PlaceLook]:
    """Return where a site shows the work without a licence; what its pages show is recorded as by a scan.

    `pages` are of one host, and at least one. They do not show the work at its known addresses any more, so all of
    their pictures are compared. After them come the front page, and what it and `pages` link to on the same host: first
    what lies nearest to the first of `pages` in the folders of the site. Of `pages`, and of the others, at most
    MOST_PAGES pages and MOST_PICTURES pictures are looked at.

    Where nothing shows the work, what is returned are the pictures that could not be compared with every asset, as
    unclear. Where there are none, it is the pages and pictures that could not be seen: nobody knew that they show
    anything, so the picture counts as gone all the same, but whoever reads the answer must hear of them.

    Raises GuardianError when the index, a worker or the database is lost.
    """
    pages = list(dict.fromkeys(pages))[:MOST_PAGES]
    front = urljoin(pages[0], "/")
    visits = _Visits(services, context, search, own={page_key(url) for url in pages})

    readings = [await visits.read(url) for url in dict.fromkeys((*pages, front))]
    near = _near(pages[0], [one for one in readings if one is not None], search)
    await visits.compare(pages)
    await visits.compare([front, *near][:MOST_PAGES])
    return _strongest(visits.looks)


class _Visits:
    """The pages that one search reads, each once. `own` are keys of those that were known to show the work.

    `looks` is what they have shown so far.
    """

    def __init__(self, services: Services, context: ScanContext, search: SiteSearch, own: Set[str]) -> None:
        self._services, self._context, self._search, self._own = services, context, search, own
        self._reader = PageReader(context.source, crawl_context_of(services, context))
        self._readings: dict[str, PageReading | None] = {}
        self._passed_over = {*search.known} - own
        self.looks: list[PlaceLook] = []

    async def read(self, url: str) -> PageReading | None:
        """Return what a page shows; None when it cannot be read."""
        if url not in self._readings:
            page = await _read(self._reader, url)
            self.looks += page.unseen
            self._readings[url] = page.reading
        return self._readings[url]

    async def compare(self, urls: Sequence[str]) -> None:
        """Compare the pictures of some pages, at most MOST_PICTURES, and record them as by a scan."""
        room = MOST_PICTURES
        for url in urls:
            reading = await self.read(url)
            if reading is None or not self._is_next(reading.final_url):
                continue
            sightings = [one for one in reading.seen if isinstance(one, Sighting)][:room]
            room -= len(sightings)
            answers = await answer_and_record(self._services, self._context, sightings, asyncio.Semaphore(_AT_ONCE))
            which = "the page" if page_key(reading.final_url) in self._own else "another page of the site"
            self.looks += _looks(reading.final_url, answers, self._search.asset_ids, which)

    def _is_next(self, page_url: str) -> bool:
        """Return whether a page is one of the operator's that was not looked at; from now on it was."""
        key = page_key(page_url)
        if key in self._passed_over or not self._search.belongs(page_url):
            return False
        self._passed_over.add(key)
        return True


def _strongest(looks: list[PlaceLook]) -> list[PlaceLook]:
    """Return the looks that show the work; where there are none, those that may show it; else all."""
    for state in (PlaceState.THERE, PlaceState.UNCLEAR):
        if told := [one for one in looks if one.state is state]:
            return told
    return looks


def _looks(page_url: str, answers: Sequence[Answer], asset_ids: Set[str], which: str) -> Iterator[PlaceLook]:
    """Yield the pictures of a page that show the work, and those that were not seen or compared with every asset."""
    for answer in answers:
        place, problem = (page_url, answer.sighting.image_url), answer.problem
        if _shows(answer, asset_ids):
            yield PlaceLook(*place, PlaceState.THERE, f"{which} shows it now, at an address that was not known")
        elif answer.report is not None and answer.report.partial:
            detail = f"a picture that {which} shows could not be compared with every asset"
            yield PlaceLook(*place, PlaceState.UNCLEAR, detail)
        elif problem is not None and _hides(problem.reason, problem.status):
            yield PlaceLook(*place, PlaceState.UNSEEN, problem.detail or problem.reason.label)


def _near(page_url: str, readings: list[PageReading], search: SiteSearch) -> list[str]:
    """Return the pages of its host that some pages link to and that are not known, the nearest first."""
    is_own = same_host(page_url)
    links: dict[str, str] = {}
    for reading in readings:
        for url in reading.links:
            key = page_key(url)
            if key not in search.known and is_own(url) and search.belongs(url):
                links.setdefault(key, url)
    links.pop(page_key(page_url), None)
    links.pop(page_key(urljoin(page_url, "/")), None)
    return sorted(links.values(), key=lambda url: -len(commonpath((_path(url), _path(page_url)))))


def _path(url: str) -> str:
    return f"/{urlsplit(url).path.lstrip('/')}"


@dataclass(frozen=True, slots=True)
class _PageRead:
    """What a page shows, None when it cannot be read; and the look at the page itself, where it hides something."""

    reading: PageReading | None
    unseen: tuple[PlaceLook, ...] = ()


async def _read(reader: PageReader, url: str) -> _PageRead:
    try:
        reading = await reader.read(url)
    except (FetchFailed, FetchRefused) as error:
        skipped = error.skipped
        if not _hides(skipped.reason, skipped.status):
            return _PageRead(None)
        return _PageRead(None, (PlaceLook(url, None, PlaceState.UNSEEN, str(error)),))
    if reading.hidden_by is None:
        return _PageRead(reading)
    return _PageRead(reading, (PlaceLook(reading.final_url, None, PlaceState.UNSEEN, reading.hidden_by.label),))


def _hides(reason: SkipReason, status: int | None) -> bool:
    """Return whether there may be a picture that was not seen for this reason."""
    return status not in GONE_STATUSES and reason not in _HIDES_NOTHING


def _shows(answer: Answer, asset_ids: Set[str]) -> bool:
    """Return whether a picture shows the work, and no licence allows it: to a place that is licensed nothing moves."""
    return any(one.licence_status is not LicenceStatus.LICENSED for one in matches_with(answer, asset_ids))
