"""A source that is a sitemap: the pages it lists, and the pictures it names itself."""

from collections.abc import AsyncIterator

from guardian.model import Lead
from guardian.sources.crawl import Bounds, Crawl, same_host
from guardian.sources.settings import SitemapSettings
from guardian.sources.visit import Seen, Visit


class SitemapSource:
    """The listed pages of the sitemap's own host (sitemaps.org); their links are not followed."""

    def __init__(self, settings: SitemapSettings) -> None:
        self._settings = settings

    async def discover(self, visit: Visit) -> AsyncIterator[Seen]:
        """Pictures that the sitemap names, then those of each page."""
        settings = self._settings
        visits = same_host(settings.url) if settings.pages else _none
        bounds = Bounds(settings.max_pages, 0, visits, are_listed=settings.pages)
        async for item in Crawl(settings.name, visit, bounds).run([Lead(settings.url, "sitemap")]):
            yield item


def _none(_: str) -> bool:
    return False
