"""Fetches sitemaps and feeds, and returns the images they name and the pages they lead to."""

import asyncio
import hashlib
from dataclasses import dataclass, replace

from guardian.crawl.context import CrawlContext
from guardian.crawl.sightings import sighting_of
from guardian.extract.entries import ListEntries
from guardian.extract.feeds import read_feed
from guardian.extract.sitemaps import read_sitemap, unpacked
from guardian.extract.xml_text import root_of_list
from guardian.model import CrawlKind, CrawlRequest, PageCapture, Response, Sighting, Skipped, SkipReason

_FEEDS = ("rss", "feed", "rdf")
_SITEMAPS = ("urlset", "sitemapindex")


@dataclass(frozen=True, slots=True)
class ListReading:
    """The content of one list: `seen` are the images that it names itself, `pages` and `sitemaps` what it leads to."""

    seen: tuple[Sighting | Skipped, ...]
    pages: tuple[CrawlRequest, ...]
    sitemaps: tuple[CrawlRequest, ...]


class ListReader:
    """Reads the sitemaps and feeds of one source. The images were seen in the list, so the list is their evidence."""

    def __init__(self, source: str, context: CrawlContext) -> None:
        self._source, self._context = source, context

    async def sitemap(self, url: str, depth: int) -> ListReading:
        """Read one sitemap, to which `depth` others led. Raises FetchRefused, FetchFailed (not_a_sitemap)."""
        capture = await self._fetched(url)
        # Some sites name a feed as their sitemap, and search engines read it as one.
        root, response = await asyncio.to_thread(_unpacked, capture)
        if root in _FEEDS:
            return self._reading(await read_feed(response), capture, depth)
        return self._reading(await asyncio.to_thread(read_sitemap, capture.response), capture, depth)

    async def feed(self, url: str) -> ListReading:
        """Read one feed. Raises FetchRefused, FetchFailed (not_a_feed)."""
        capture = await self._fetched(url)
        root, response = await asyncio.to_thread(_unpacked, capture)
        if root in _SITEMAPS:
            return self._reading(await asyncio.to_thread(read_sitemap, capture.response), capture, 0)
        return self._reading(await read_feed(response), capture, 0)

    async def _fetched(self, url: str) -> PageCapture:
        response = await self._context.fetcher.get(url, kind="document")
        return PageCapture(response, hashlib.sha256(response.content).hexdigest())

    def _reading(self, listed: ListEntries, capture: PageCapture, depth: int) -> ListReading:
        seen: list[Sighting | Skipped] = []
        pages: list[CrawlRequest] = []
        for entry in listed.entries:
            seen += [sighting_of(image, self._source, capture, entry.page_url) for image in entry.images]
            if entry.page_url is not None:
                # Depth 0: a page that a list names is a start, however deep the links to it are.
                pages.append(CrawlRequest(entry.page_url, CrawlKind.PAGE, 0, capture.final_url))

        sitemaps = [CrawlRequest(url, CrawlKind.SITEMAP, depth + 1, capture.final_url) for url in listed.sitemaps]
        if capture.response.incomplete is not None:
            detail = f"only a part of the list came: {capture.response.incomplete}"
            seen.append(Skipped(capture.url, SkipReason.BROKEN, detail))
        return ListReading((*seen, *listed.skipped), tuple(pages), tuple(sitemaps))


def _unpacked(capture: PageCapture) -> tuple[str | None, Response]:
    """Return the root element of a list, whatever it was named as, and the list unpacked.

    Raises FetchRefused (too_large), FetchFailed.
    """
    response = replace(capture.response, content=unpacked(capture.response))
    return root_of_list(response.content), response
