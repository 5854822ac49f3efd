"""Searches the site of a place that is gone for the picture: pages near it, where it was not known, may show it now."""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass
from os.path import commonpath
from urllib.parse import urljoin, urlsplit

from guardian.crawl.crawler import same_host
from guardian.crawl.page_reader import PageReader, PageReading
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Answer, LicenceStatus, Sighting
from guardian.model.notices import PlaceLook, PlaceState
from guardian.scan.context import ScanContext, crawl_context_of
from guardian.scan.pipeline import answer_and_record
from guardian.scan.services import Services
from guardian.urls.keys import page_key

MOST_PAGES, MOST_PICTURES = 10, 50
"""How many pages of one site a recheck visits beside those that are known, and how many of their pictures."""

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for on a site, and where not.

    `asset_ids` are those of the work. `known` are keys of pages that were looked at already. `belongs` tells whether a
    page belongs to the operator who is asked.
    """

    asset_ids: Set[str]
    known: Set[str]
    belongs: Callable[[str], bool]


async def search_site(services: Services, context: ScanContext, page_url: str, search: Search) -> list[PlaceLook]:
    """Return where pages near a page show the work without a licence; what they show is recorded as by a scan.

    These are the front page, and what it and the page itself link to on the same host, those first that lie nearest to
    the page in the folders of the site; ten pages and fifty pictures at most. What cannot be read is passed over: it
    was not known to show anything. Raises GuardianError when the index, a worker or the database is lost.
    """
    reader = PageReader(context.source, crawl_context_of(services, context))
    front = urljoin(page_url, "/")
    readings = {url: await _read(reader, url) for url in dict.fromkeys((page_url, front))}
    found: list[PlaceLook] = []
    room = MOST_PICTURES
    for url in [front, *_near(page_url, [one for one in readings.values() if one is not None], search)][:MOST_PAGES]:
        reading = readings[url] if url in readings else await _read(reader, url)
        if reading is None or page_key(reading.final_url) in search.known or not search.belongs(reading.final_url):
            continue
        sightings = [one for one in reading.seen if isinstance(one, Sighting)][:room]
        room -= len(sightings)
        answers = await answer_and_record(services, context, sightings, asyncio.Semaphore(_AT_ONCE))
        found += [_as_look(reading.final_url, one) for one in answers if _shows(one, search.asset_ids)]
    return found


def _near(page_url: str, readings: list[PageReading], search: Search) -> list[str]:
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


async def _read(reader: PageReader, url: str) -> PageReading | None:
    try:
        return await reader.read(url)
    except (FetchFailed, FetchRefused):
        return None


def _shows(answer: Answer, asset_ids: Set[str]) -> bool:
    """Return whether a picture shows the work, and no licence allows it: to a place that is licensed nothing moves."""
    return any(
        one.kept
        and one.licence_status is not LicenceStatus.LICENSED
        and asset_ids & {one.asset.id, *(other.id for other in one.versions)}
        for one in answer.judged
    )


def _as_look(page_url: str, answer: Answer) -> PlaceLook:
    detail = "another page of the site shows it"
    return PlaceLook(page_url, answer.sighting.image_url, PlaceState.THERE, detail)
