"""A source that is a whole site, or the part of it below one path."""

from collections.abc import AsyncIterator
from urllib.parse import urljoin, urlsplit

from guardian.addresses import joined
from guardian.model import Lead
from guardian.sources.crawl import Bounds, Crawl, same_host
from guardian.sources.settings import SiteSettings
from guardian.sources.visit import Seen, Visit


class SiteSource:
    """From a start page along its links, and from the sitemaps that the site's robots.txt names."""

    def __init__(self, settings: SiteSettings) -> None:
        self._settings = settings

    async def discover(self, visit: Visit) -> AsyncIterator[Seen]:
        """The pictures of every page within reach and budget."""
        settings = self._settings
        starts = [Lead(settings.url)]
        if settings.sitemaps:
            named = await visit.fetch.sitemaps(settings.url)
            robots = urljoin(settings.url, "/robots.txt")
            # A referrer marks them as found, so that a missing sitemap is left out and not the whole site.
            starts += [Lead(joined(robots, url) or url, "sitemap", referrer=robots) for url in named]
        bounds = Bounds(settings.max_pages, settings.max_depth, self._belongs, is_whole=True)
        async for item in Crawl(settings.name, visit, bounds).run(starts):
            yield item

    def _belongs(self, url: str) -> bool:
        return same_host(self._settings.url)(url) and urlsplit(url).path.startswith(self._settings.below)
