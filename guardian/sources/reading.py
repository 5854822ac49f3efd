"""Reads one page: the one place where a page's HTML comes from, its pictures, its style sheets' pictures, its links."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from w3lib.encoding import html_to_unicode

from guardian.addresses import canonical_url, joined
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Context, Omission, Response, Sighting
from guardian.sources.css import css_imports, css_pictures
from guardian.sources.gathering import MAX_PICTURES, inline_picture
from guardian.sources.html import HtmlReading
from guardian.sources.links import MAX_LINKS
from guardian.sources.memory import KnownPage, as_seen_again, recall_page, remember_page
from guardian.sources.odd_pages import is_ordinary, read_guarded
from guardian.sources.responses import is_page, is_picture
from guardian.sources.visit import Visit
from guardian.variants import variant_key

SHEETS_PER_SCAN = 40
"""Style sheets beyond these are left out: what they show is mostly decoration."""

_PICTURES_WITHOUT_DOUBT = 2
_MOST_UNREADABLE = 5
"""Pages of one scan that may take the time of a process of their own in vain."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one page shows, where it really lies, and what it links to. `counts` are for the scan's account."""

    final_url: str
    seen: tuple[Sighting | Omission, ...]
    links: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()


class PageReader:
    """Reads the pages of one scan; each style sheet once. `asked_by_person`: whatever robots.txt says."""

    def __init__(self, source: str, visit: Visit, asked_by_person: bool = False) -> None:
        self._source, self._visit, self._asked_by_person = source, visit, asked_by_person
        self._sheets = set[str]()
        self._unreadable = 0

    async def read(self, url: str) -> Reading:
        """One page. An address that is a picture itself shows that. Raises FetchRefused, FetchFailed."""
        known = await asyncio.to_thread(self._recall, url)
        response = await self._visit.fetch.get(url, kind="page", known=known.remembered if known else None)
        if known is not None and response.not_modified:
            return await self._whole(as_seen_again(known, response), response)
        if not is_page(response):
            return Reading(response.final_url, (self._no_page(url, response),))
        html = await self._parsed(response)
        await asyncio.to_thread(self._remember, response, html)
        return await self._whole(html, response)

    async def look(self, response: Response) -> Reading:
        """What a page that was fetched shows. Raises FetchRefused (unreadable)."""
        return await self._whole(await self._parsed(response), response)

    async def _parsed(self, response: Response) -> HtmlReading:
        if self._unreadable >= _MOST_UNREADABLE and not is_ordinary(response):
            raise FetchRefused(
                "unreadable", response.url, "odd HTML like that of the pages before, which took too long"
            )
        try:
            return await read_guarded(response, self._source)
        except FetchRefused:
            self._unreadable += 1
            raise

    async def _whole(self, html: HtmlReading, response: Response) -> Reading:
        """The page's own pictures, those of its style sheets, and what was left out beside them."""
        seen = [*html.seen, *await self._in_sheets(html.links.sheets, response, html.seen)]
        if html.browser_sign and sum(isinstance(one, Sighting) for one in seen) < _PICTURES_WITHOUT_DOUBT:
            seen.append(Omission(response.final_url, "needs_browser", html.browser_sign))
        if html.links.more:
            detail = f"{html.links.more} links beyond the first {MAX_LINKS} of one page"
            seen.append(Omission(response.final_url, "budget", detail))
        counts = ("pages", "pages unchanged") if response.not_modified else ("pages",)
        return Reading(response.final_url, tuple(seen), html.links.pages, counts)

    def _recall(self, url: str) -> KnownPage | None:
        with self._visit.store.read() as tx:
            return recall_page(tx, url, self._source, self._visit.clock())

    def _remember(self, response: Response, html: HtmlReading) -> None:
        with self._visit.store.begin() as tx:
            remember_page(tx, response, html, hashlib.sha256(response.content).hexdigest())

    def _no_page(self, url: str, response: Response) -> Sighting | Omission:
        if is_picture(response):
            return Sighting(self._source, url, None, response.fetched_at, image=response)
        stated = response.header("content-type") or "nothing known"
        return Omission(url, "not_a_page", f"neither a page nor a picture: {stated[:100]}")

    async def _in_sheets(
        self, sheets: Sequence[str], page: Response, seen: Sequence[Sighting | Omission]
    ) -> list[Sighting | Omission]:
        """Pictures that linked style sheets name and the page itself does not."""
        shown = {variant_key(one.image_url) for one in seen if isinstance(one, Sighting) and one.image_url}
        found: list[Sighting | Omission] = []
        waiting = deque(sheets)
        while waiting:
            sheet = waiting.popleft()
            if sheet in self._sheets:
                continue
            if len(self._sheets) >= SHEETS_PER_SCAN:
                found.append(Omission(sheet, "budget", f"more than {SHEETS_PER_SCAN} style sheets in one scan"))
                break
            self._sheets.add(sheet)
            try:
                response = await self._visit.fetch.get(sheet, kind="document", asked_by_person=self._asked_by_person)
            except (FetchRefused, FetchFailed) as error:
                found.append(Omission(error.url, error.reason, f"a style sheet: {error.detail}"))
                continue
            named, imported = await asyncio.to_thread(_read_sheet, response)
            waiting += imported
            if len(named) > MAX_PICTURES:
                detail = f"{len(named) - MAX_PICTURES} more pictures in one style sheet"
                found.append(Omission(response.final_url, "budget", detail))
            for urls in named[:MAX_PICTURES]:
                keys = {url if url.startswith("data:") else variant_key(url) for url in urls}
                if shown.isdisjoint(keys):
                    shown |= keys
                    found.append(self._of_sheet(urls, page))
        return found

    def _of_sheet(self, urls: tuple[str, ...], page: Response) -> Sighting | Omission:
        """One picture that a style sheet of a page names."""
        first, *others = urls
        if first.startswith("data:"):
            return inline_picture(first, page, self._source, Context())
        if urlsplit(first).path.lower().endswith((".svg", ".svgz")):
            return Omission(first, "vector", "an SVG drawing")
        return Sighting(self._source, first, page.final_url, page.fetched_at, also_at=tuple(others), page=page)


def _read_sheet(response: Response) -> tuple[list[tuple[str, ...]], list[str]]:
    """The whole addresses of each picture that a style sheet names, and of the sheets that it imports."""
    text = html_to_unicode(response.header("content-type"), response.content, default_encoding="utf-8")[1]
    pictures = (tuple(filter(None, (_joined(response.final_url, url) for url in urls))) for urls in css_pictures(text))
    imported = (_joined(response.final_url, url) for url in css_imports(text))
    sheets = [canonical_url(url) for url in imported if url and not url.startswith("data:")]
    return [addresses for addresses in pictures if addresses], sheets


def _joined(base: str, url: str) -> str | None:
    """The whole address; None for one that names nothing. What a data: address holds is its own address."""
    whole = url if url.startswith("data:") else joined(base, url)
    return whole if whole and urlsplit(whole).scheme in ("http", "https", "data") else None
