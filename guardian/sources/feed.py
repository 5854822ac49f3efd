"""A source that is a feed: the pictures in its entries, and the pages that they lead to."""

from collections.abc import AsyncIterator

from guardian.addresses import host_of
from guardian.model import Lead
from guardian.sources.crawl import Bounds, Crawl
from guardian.sources.settings import FeedSettings
from guardian.sources.visit import Seen, Visit


class FeedSource:
    """RSS, Atom or JSON Feed. Entries may lead to any host: feeds are often served by another."""

    def __init__(self, settings: FeedSettings) -> None:
        self._settings = settings

    async def discover(self, visit: Visit) -> AsyncIterator[Seen]:
        """Pictures that the feed carries, then those of each entry's page."""
        settings = self._settings
        bounds = Bounds(settings.max_pages, 0, self._is_wanted)
        async for item in Crawl(settings.name, visit, bounds).run([Lead(settings.url, "feed")]):
            yield item

    def _is_wanted(self, url: str) -> bool:
        return self._settings.pages and bool(host_of(url))
