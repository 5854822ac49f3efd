"""A source that is one web page."""

from collections.abc import AsyncIterator

from guardian.model import Omission, Sighting
from guardian.sources.pictures import images_on_page
from guardian.sources.responses import is_page
from guardian.sources.settings import PageSettings
from guardian.sources.visit import Visit


class PageSource:
    """One page, read anew at each scan."""

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings

    async def discover(self, visit: Visit) -> AsyncIterator[Sighting | Omission]:
        """All the pictures of the page; an address that is a picture itself yields that."""
        name, url = self._settings.name, self._settings.url
        response = await visit.fetch.get(url, kind="page")
        if not is_page(response):
            yield Sighting(source=name, image_url=url, page_url=None, seen_at=response.fetched_at, image=response)
            return
        for item in images_on_page(response, name, response.fetched_at):
            yield item
