"""Reads one page: its pictures, those of its style sheets, and its links."""

import asyncio
from dataclasses import dataclass, field

from guardian.crawl.context import CrawlContext
from guardian.crawl.page_cache import KnownPage, recall_page, remember_page
from guardian.crawl.page_loader import PageLoader
from guardian.crawl.sightings import sighting_of
from guardian.crawl.style_sheets import StyleSheets
from guardian.errors import FetchRefused
from guardian.extract.html import HtmlReading
from guardian.extract.html_sandbox import is_simple, read_guarded
from guardian.extract.links import MAX_LINKS
from guardian.media.sniff import is_page, is_picture
from guardian.model import PageCapture, PageImage, ScanCounts, Sighting, Skipped, SkipReason
from guardian.views.counting import counted

_ENOUGH_PICTURES = 2
"""Pictures: a page that shows as many needs no browser, whatever its scripts look like."""

_MORE_THAN_A_WALL_SHOWS = 4
"""Pictures: a login page shows fewer, a logo or two and a photograph behind its form."""

_HIDE_THE_PAGE = frozenset({SkipReason.BROKEN, SkipReason.NEEDS_BROWSER, SkipReason.WALL})

MOST_FRAMES = 10
"""How many frames of one page a check or a recheck reads. A crawl visits each frame as a page of its own."""

_MOST_UNREADABLE = 5
"""Pages of one scan that may use up the time of the HTML sandbox without a result."""


@dataclass(frozen=True, slots=True)
class PageReading:
    """What one page shows and links to. `final_url` is where redirects ended; `counts` are added to the scan's.

    `frames` are pages that it shows within itself, whose pictures are not among `seen`. `page` is the page as it was
    loaded; None for what is no page.
    """

    final_url: str
    seen: tuple[Sighting | Skipped, ...]
    links: tuple[str, ...] = ()
    counts: ScanCounts = field(default_factory=ScanCounts)
    frames: tuple[str, ...] = ()
    page: PageCapture | None = field(default=None, repr=False)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of the page's bytes; None for what is no page."""
        return self.page.sha256 if self.page is not None else None

    @property
    def hidden_by(self) -> SkipReason | None:
        """Why the page may have pictures that could not be seen; None when it has shown what it has."""
        skipped = [one for one in self.seen if isinstance(one, Skipped) and one.url == self.final_url]
        return next((one.reason for one in skipped if one.reason in _HIDE_THE_PAGE), None)


class PageReader:
    """Reads the pages of one scan; each style sheet once."""

    def __init__(self, source: str, context: CrawlContext) -> None:
        self._source, self._context = source, context
        self._loader = PageLoader(context.fetcher)
        self._sheets = StyleSheets(context)
        self._unreadable = 0

    async def read(self, url: str) -> PageReading:
        """Load a page and return what it shows; for the address of a picture, return that picture.

        A page that is unchanged since it was last read costs its site a 304 and is not parsed again. Raises
        FetchRefused, FetchFailed.
        """
        known = await asyncio.to_thread(self._recall, url)
        page = await self._loader.load(url, known=known.remembered if known else None)
        if known is not None and page.is_unchanged:
            return await self._whole(known.reading, page)
        if not is_page(page.response):
            return PageReading(page.final_url, (self._no_page(page),))

        html = await self._parsed(page)
        await asyncio.to_thread(self._remember, page, html)
        return await self._whole(html, page)

    async def read_capture(self, page: PageCapture) -> PageReading:
        """Return what an already loaded page shows. Raises FetchRefused (unreadable)."""
        return await self._whole(await self._parsed(page), page)

    async def _parsed(self, page: PageCapture) -> HtmlReading:
        """Return the content of a page, parsed in the sandbox when its HTML is unusual. Raises FetchRefused."""
        if self._unreadable >= _MOST_UNREADABLE and not is_simple(page.response):
            raise FetchRefused(
                SkipReason.UNREADABLE, page.url, "odd HTML like that of the pages before, which took too long"
            )
        try:
            return await read_guarded(page.response)
        except FetchRefused:
            self._unreadable += 1
            raise

    async def _whole(self, html: HtmlReading, page: PageCapture) -> PageReading:
        """Return the page's own pictures, those of its style sheets, and what was left out beside them."""
        shown = [*html.seen, *await self._sheets.pictures(html.links.sheets, page.final_url, html.seen)]
        seen: list[Sighting | Skipped] = []
        for one in shown:
            if isinstance(one, PageImage):
                seen.append(sighting_of(one, self._source, page, policy=html.referrer_policy))
            else:
                seen.append(one)

        if page.response.incomplete is not None:
            detail = f"only a part of the page came: {page.response.incomplete}"
            seen.append(Skipped(page.final_url, SkipReason.BROKEN, detail))
        pictures = sum(isinstance(one, Sighting) for one in seen)
        if html.wall_sign and pictures < _MORE_THAN_A_WALL_SHOWS:
            seen.append(Skipped(page.final_url, SkipReason.WALL, html.wall_sign))
        elif html.browser_sign and pictures < _ENOUGH_PICTURES:
            seen.append(Skipped(page.final_url, SkipReason.NEEDS_BROWSER, html.browser_sign))
        if html.links.more:
            detail = f"{counted(html.links.more, 'link')} beyond the first {MAX_LINKS} of one page"
            seen.append(Skipped(page.final_url, SkipReason.BUDGET, detail))

        counts = ScanCounts(pages=1, pages_unchanged=int(page.is_unchanged))
        return PageReading(page.final_url, tuple(seen), html.links.pages, counts, html.links.frames, page)

    def _recall(self, url: str) -> KnownPage | None:
        with self._context.store.read() as tx:
            return recall_page(tx, url, self._context.clock())

    def _remember(self, page: PageCapture, html: HtmlReading) -> None:
        with self._context.store.begin() as tx:
            remember_page(tx, page, html)

    def _no_page(self, page: PageCapture) -> Sighting | Skipped:
        """Return the sighting of a picture that was loaded as a page, or a Skipped for anything else."""
        response = page.response
        if is_picture(response):
            return Sighting(self._source, page.url, None, response.fetched_at, image=response)
        stated = response.header("content-type") or "nothing known"
        return Skipped(page.url, SkipReason.NOT_A_PAGE, f"neither a page nor a picture: {stated[:100]}")
