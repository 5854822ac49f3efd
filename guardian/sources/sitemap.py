"""A source that is a sitemap: the pages it lists, and the pictures it names itself."""

from collections.abc import AsyncIterator

from guardian.crawl.context import CrawlContext, Seen
from guardian.crawl.crawler import Bounds, Crawler, same_host
from guardian.model import CrawlKind, CrawlRequest
from guardian.sources.settings import SitemapSettings


class SitemapSource:
    """The listed pages of the sitemap's own host (sitemaps.org); their links are not followed."""

    def __init__(self, settings: SitemapSettings) -> None:
        self._settings = settings

    async def discover(self, context: CrawlContext) -> AsyncIterator[Seen]:
        """Yield the pictures that the sitemap names, then those of each page it lists."""
        settings = self._settings
        # The protocol lets a sitemap name pages of its own host only; others may be anybody's.
        visits = same_host(settings.url) if settings.pages else _visit_none
        bounds = Bounds(settings.max_pages, 0, visits, are_listed=settings.pages)
        async for item in Crawler(settings.name, context, bounds).run([CrawlRequest(settings.url, CrawlKind.SITEMAP)]):
            yield item


def _visit_none(_: str) -> bool:
    return False
