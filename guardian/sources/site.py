"""A source that is a whole site, or the part of it below one path."""

from collections.abc import AsyncIterator
from urllib.parse import urljoin, urlsplit

from guardian.crawl.context import CrawlContext, Seen
from guardian.crawl.crawler import Bounds, Crawler, same_host
from guardian.model import CrawlKind, CrawlRequest
from guardian.sources.settings import SiteSettings


class SiteSource:
    """The pages of one host, found from a start page along its links, and from the sitemaps that robots.txt names."""

    def __init__(self, settings: SiteSettings) -> None:
        self._settings = settings

    async def discover(self, context: CrawlContext) -> AsyncIterator[Seen]:
        """Yield the pictures of every page within the depth and number of pages that the settings allow."""
        settings = self._settings
        starts = [CrawlRequest(settings.url)]
        if settings.sitemaps:
            named = await context.fetcher.sitemaps(settings.url)
            # A referrer marks them as found, so that a missing sitemap is left out and not the whole site.
            robots = urljoin(settings.url, "/robots.txt")
            starts += [CrawlRequest(url, CrawlKind.SITEMAP, referrer=robots) for url in named]
        bounds = Bounds(settings.max_pages, settings.max_depth, self._belongs, is_whole=True)
        async for item in Crawler(settings.name, context, bounds).run(starts):
            yield item

    def _belongs(self, url: str) -> bool:
        return same_host(self._settings.url)(url) and urlsplit(url).path.startswith(self._settings.below)
