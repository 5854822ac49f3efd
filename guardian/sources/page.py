"""A source that is one web page, or with a depth the pages it links to as well."""

from collections.abc import AsyncIterator

from guardian.crawl.context import CrawlContext, Seen
from guardian.crawl.crawler import Bounds, Crawler, same_host
from guardian.crawl.page_reader import PageReader
from guardian.model import Checkpoint, CrawlRequest, Skipped, SkipReason
from guardian.sources.settings import PageSettings
from guardian.views.counting import counted


class PageSource:
    """One page, read anew at each scan; linked pages of its own host up to `depth` links away."""

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings

    async def discover(self, context: CrawlContext) -> AsyncIterator[Seen]:
        """Yield the pictures of the page, and with a depth of those it links to. An image's URL yields that image."""
        settings = self._settings
        # One page needs no frontier, and its errors are those of the source, not of one page among many.
        if not settings.depth:
            reading = await PageReader(settings.name, context).read(settings.url)
            for shown in reading.seen:
                yield shown
            if not reading.seen:
                pages = counted(len(reading.links), "page")
                why = f"it shows none itself, and leads to {pages} that a depth would visit"
                yield Skipped(reading.final_url, SkipReason.NO_PICTURES, why)
            yield Checkpoint(settings.name, counts=reading.counts)
            return

        bounds = Bounds(settings.max_pages, settings.depth, same_host(settings.url))
        start = CrawlRequest(settings.url)
        async for item in Crawler(settings.name, context, bounds).run([start]):
            yield item
