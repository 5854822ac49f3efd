"""A source that is one web page, or with a depth the pages it links to as well."""

from collections import Counter
from collections.abc import AsyncIterator

from guardian.model import Lead, Omission
from guardian.sources.crawl import Bounds, Crawl, same_host
from guardian.sources.reading import PageReader
from guardian.sources.settings import PageSettings
from guardian.sources.visit import Milestone, Seen, Visit


class PageSource:
    """One page, read anew at each scan; linked pages of its own host up to `depth` links away."""

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings

    async def discover(self, visit: Visit) -> AsyncIterator[Seen]:
        """All the pictures of the page; an address that is a picture itself yields that."""
        settings = self._settings
        if not settings.depth:
            reading = await PageReader(settings.name, visit).read(settings.url)
            for shown in reading.seen:
                yield shown
            if not reading.seen:
                why = f"it shows none itself, and leads to {len(reading.links)} page(s) that a depth would visit"
                yield Omission(reading.final_url, "no_pictures", why)
            yield Milestone(counts=Counter(reading.counts))
            return
        bounds = Bounds(settings.max_pages, settings.depth, same_host(settings.url))
        start = Lead(settings.url)
        async for item in Crawl(settings.name, visit, bounds).run([start]):
            yield item
