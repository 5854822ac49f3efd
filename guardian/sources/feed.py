"""A source that is a feed: the pictures in its entries, and the pages that they lead to."""

from collections.abc import AsyncIterator

from guardian.crawl.context import CrawlContext, Seen
from guardian.crawl.crawler import Bounds, Crawler
from guardian.model import CrawlKind, CrawlRequest
from guardian.sources.settings import FeedSettings
from guardian.urls.addresses import host_of


class FeedSource:
    """RSS, Atom or JSON Feed. Entries may lead to any host, since many feeds are served by another one."""

    def __init__(self, settings: FeedSettings) -> None:
        self._settings = settings

    async def discover(self, context: CrawlContext) -> AsyncIterator[Seen]:
        """Yield the pictures that the feed carries, then those of each entry's page."""
        settings = self._settings
        # Depth 0: the pages of the entries, and none of the links on them.
        bounds = Bounds(settings.max_pages, 0, self._may_visit)
        async for item in Crawler(settings.name, context, bounds).run([CrawlRequest(settings.url, CrawlKind.FEED)]):
            yield item

    def _may_visit(self, url: str) -> bool:
        return self._settings.pages and bool(host_of(url))
