"""Tells a page that was taken away from a site that answers every address alike, as while it is under repair."""

import hashlib
from urllib.parse import urljoin

from guardian.crawl.crawler import same_host
from guardian.crawl.page_reader import PageReader, PageReading
from guardian.errors import FetchFailed, FetchRefused
from guardian.scan.context import ScanContext, crawl_context_of
from guardian.scan.services import Services
from guardian.urls.addresses import host_of
from guardian.urls.keys import page_key

_FEWEST_WAYS_ON = 3
"""A front page that leads to so many other pages of its site is at work, though it stands for every missing page."""


class SiteAnswers:
    """What sites answer for their front page and for a page that cannot be there. Each site is asked once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._absent: dict[str, PageReading | None] = {}
        self._front: dict[str, PageReading | None] = {}

    async def are_alike(self, context: ScanContext, url: str, reading: PageReading) -> bool:
        """Return whether the site answers every address as it answered this one, so that nothing was taken away.

        That is so when a page that cannot be there and the front page lead to the same page, or have the same bytes,
        and this page leads nowhere. False when the site does not say: most answer 404 for what is not there. Raises
        GuardianError when the database is lost.
        """
        front = urljoin(url, "/")
        if front not in self._absent:
            # Always the same one, so that the cache of pages does not grow with each look.
            digest = hashlib.sha256(host_of(url).encode()).hexdigest()[:12]
            self._absent[front] = await self._read(context, urljoin(url, f"/no-such-page-{digest}"))
        if not _is_same(self._absent[front], reading):
            return False

        if front not in self._front:
            self._front[front] = await self._read(context, front)
        return _is_same(self._front[front], reading) and _ways_on(reading) < _FEWEST_WAYS_ON

    async def _read(self, context: ScanContext, url: str) -> PageReading | None:
        crawl = crawl_context_of(self._services, context)
        try:
            return await PageReader(context.source, crawl).read(url)
        except (FetchFailed, FetchRefused):
            return None


def _is_same(one: PageReading | None, other: PageReading) -> bool:
    if one is None or one.sha256 is None:
        return False
    return one.sha256 == other.sha256 or page_key(one.final_url) == page_key(other.final_url)


def _ways_on(reading: PageReading) -> int:
    """Return to how many other pages of its site a page leads."""
    is_own = same_host(reading.final_url)
    keys = {page_key(url) for url in reading.links if is_own(url)}
    return len(keys - {page_key(reading.final_url), page_key(urljoin(reading.final_url, "/"))})
