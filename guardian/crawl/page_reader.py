"""Reads one page: the one place where a page's HTML comes from, its pictures, its style sheets' pictures, its links."""

import asyncio
import hashlib
from dataclasses import dataclass, field

from guardian.crawl.context import CrawlContext
from guardian.crawl.page_cache import KnownPage, as_seen_again, recall_page, remember_page
from guardian.crawl.style_sheets import StyleSheets
from guardian.errors import FetchRefused
from guardian.extract.html import HtmlReading
from guardian.extract.html_sandbox import is_simple, read_guarded
from guardian.extract.links import MAX_LINKS
from guardian.media.sniff import is_page, is_picture
from guardian.model import Response, ScanCounts, Sighting, Skipped, SkipReason

_PICTURES_WITHOUT_DOUBT = 2
_MOST_UNREADABLE = 5
"""Pages of one scan that may take the time of a process of their own in vain."""


@dataclass(frozen=True, slots=True)
class PageReading:
    """What one page shows, where it really lies, and what it links to. `counts` are for the scan's account."""

    final_url: str
    seen: tuple[Sighting | Skipped, ...]
    links: tuple[str, ...] = ()
    counts: ScanCounts = field(default_factory=ScanCounts)


class PageReader:
    """Reads the pages of one scan; each style sheet once. `asked_by_person`: whatever robots.txt says."""

    def __init__(self, source: str, context: CrawlContext, asked_by_person: bool = False) -> None:
        self._source, self._context = source, context
        self._sheets = StyleSheets(source, context, asked_by_person)
        self._unreadable = 0

    async def read(self, url: str) -> PageReading:
        """One page. An address that is a picture itself shows that. Raises FetchRefused, FetchFailed."""
        known = await asyncio.to_thread(self._recall, url)
        response = await self._context.fetch.get(url, kind="page", known=known.remembered if known else None)
        if known is not None and response.not_modified:
            return await self._whole(as_seen_again(known, response), response)
        if not is_page(response):
            return PageReading(response.final_url, (self._no_page(url, response),))
        html = await self._parsed(response)
        await asyncio.to_thread(self._remember, response, html)
        return await self._whole(html, response)

    async def look(self, response: Response) -> PageReading:
        """What a page that was fetched shows. Raises FetchRefused (unreadable)."""
        return await self._whole(await self._parsed(response), response)

    async def _parsed(self, response: Response) -> HtmlReading:
        if self._unreadable >= _MOST_UNREADABLE and not is_simple(response):
            raise FetchRefused(
                SkipReason.UNREADABLE, response.url, "odd HTML like that of the pages before, which took too long"
            )
        try:
            return await read_guarded(response, self._source)
        except FetchRefused:
            self._unreadable += 1
            raise

    async def _whole(self, html: HtmlReading, response: Response) -> PageReading:
        """The page's own pictures, those of its style sheets, and what was left out beside them."""
        seen = [*html.seen, *await self._sheets.pictures(html.links.sheets, response, html.seen)]
        if html.browser_sign and sum(isinstance(one, Sighting) for one in seen) < _PICTURES_WITHOUT_DOUBT:
            seen.append(Skipped(response.final_url, SkipReason.NEEDS_BROWSER, html.browser_sign))
        if html.links.more:
            detail = f"{html.links.more} links beyond the first {MAX_LINKS} of one page"
            seen.append(Skipped(response.final_url, SkipReason.BUDGET, detail))
        counts = ScanCounts(pages=1, pages_unchanged=int(response.not_modified))
        return PageReading(response.final_url, tuple(seen), html.links.pages, counts)

    def _recall(self, url: str) -> KnownPage | None:
        with self._context.store.read() as tx:
            return recall_page(tx, url, self._source, self._context.clock())

    def _remember(self, response: Response, html: HtmlReading) -> None:
        with self._context.store.begin() as tx:
            remember_page(tx, response, html, hashlib.sha256(response.content).hexdigest())

    def _no_page(self, url: str, response: Response) -> Sighting | Skipped:
        if is_picture(response):
            return Sighting(self._source, url, None, response.fetched_at, image=response)
        stated = response.header("content-type") or "nothing known"
        return Skipped(url, SkipReason.NOT_A_PAGE, f"neither a page nor a picture: {stated[:100]}")
