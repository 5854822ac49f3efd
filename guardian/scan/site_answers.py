"""Tells a page that was taken away from a site that answers every address alike, as while it is under repair.

Such an answer is known as a soft 404: one placeholder page, without an error status, in place of all others. It may
differ a little each time, by a token, the time or a text drawn by lot.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from urllib.parse import unquote, urljoin, urlsplit

from guardian.crawl.crawler import same_host
from guardian.crawl.page_loader import PageLoader
from guardian.crawl.page_reader import PageReader, PageReading
from guardian.errors import FetchFailed, FetchRefused
from guardian.extract.page_text import elements_and_words, in_common
from guardian.media.sniff import is_page
from guardian.model import UnseenFinding
from guardian.model.cases import SCANS_UNTIL_ABSENT
from guardian.scan.context import ScanContext, crawl_context_of
from guardian.scan.services import Services
from guardian.urls.addresses import host_of, is_web_address
from guardian.urls.keys import page_key

LONGEST_REPAIR = timedelta(days=30)
"""A site that has shown nothing else for so long is not under repair: what it showed is gone."""

_LINKS_OF_LIVE_PAGE = 3
"""A page that links to so many other pages of its site is no placeholder: a front page may stand for missing ones."""

_INNER_PAGES = 2
"""Pages to which a live front page links that must all be one placeholder, so that those below are under repair."""

_MOST_INNER_PAGES = 4
"""Such pages that are asked for of one site: a case may have hundreds of places, each in a folder of its own."""

_MOST_SITES = 5
"""Hosts that are asked at the end of one scan."""

_MOST_COMPARED = 1_000
"""Elements and words of a page; one with more is no placeholder."""

_SAME_SHARE = 0.7
"""Of what two answers for missing pages have in common, so much must stand in a third one that is alike."""


@dataclass(frozen=True, slots=True)
class _SitePage:
    """A page that a site sent for this comparison. `text`: its elements and words; None when it cannot be compared."""

    reading: PageReading
    text: tuple[str, ...] | None


async def sites_under_repair(
    services: Services, context: ScanContext, missed: Sequence[UnseenFinding]
) -> frozenset[str]:
    """Return the hosts of findings that are about to be missed which have one page for every address.

    Their front page may be another one, if all that it links to is one page.

    Each is asked for one to five pages. At most five hosts are asked; of the others nothing is known. What was last
    seen long ago, or counts as gone already, is no reason to ask. Raises GuardianError when the database is lost.
    """
    since = services.clock() - LONGEST_REPAIR
    hosts: dict[str, str] = {}
    for one in missed:
        if one.missed_scans < SCANS_UNTIL_ABSENT and one.last_seen_at > since and is_web_address(one.page_url):
            hosts.setdefault(host_of(one.page_url), one.page_url)

    answers = SiteAnswers(services)
    asked = [*hosts.items()][:_MOST_SITES]
    return frozenset([host for host, url in asked if await answers.is_one_page(context, url)])


class SiteAnswers:
    """What sites answer for their front page, pages to which it links, and pages that cannot be there.

    Each site is asked for seven pages at most, whatever the number of its addresses, and for each once.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pages: dict[str, _SitePage | None] = {}
        self._inner_pages: dict[str, set[str]] = {}

    async def is_placeholder(self, context: ScanContext, url: str, reading: PageReading) -> bool:
        """Return whether the site answers every address as it answered this one, so that nothing was taken away.

        That is so when this page links to few others, and both a page that cannot be there and the front page are the
        same one: they lead to one address, have the same bytes, or differ by no more words than two pages that cannot
        be there. Where the front page is live, two pages to which it links must be the same one instead. False when
        the site does not say: most answer 404 for what is not there. Raises GuardianError when the database is lost.
        """
        if _is_live(reading):
            return False
        page = await asyncio.to_thread(_site_page, reading)
        return await self._is_for_all(context, url, page) or await self._is_for_inner_pages(context, url, page)

    async def is_one_page(self, context: ScanContext, url: str) -> bool:
        """Return whether the site of an address has one page for all, or for all to which its front page links."""
        front = await self._page_at(context, urljoin(url, "/"))
        if front is None:
            return False
        if not _is_live(front.reading) and await self._is_for_all(context, url, front):
            return True
        return await self._is_for_inner_pages(context, url, None)

    async def _is_for_all(self, context: ScanContext, url: str, page: _SitePage) -> bool:
        """Return whether a page of a site is the one for what is not there, and for the front page."""
        absent, another, front = (urljoin(url, path) for path in (*_absent_paths(url), "/"))
        first = await self._page_at(context, absent)
        if first is None:
            return False

        if _are_same(first.reading, page.reading):
            second = page if page.text is not None else first
        else:
            # A second address that cannot exist shows how much two answers for missing pages differ.
            asked = await self._page_at(context, another)
            if asked is None or not _is_alike(page, first, asked):
                return False
            second = asked

        shown = await self._page_at(context, front)
        if shown is None or _is_live(shown.reading):
            return False
        return _are_same(shown.reading, page.reading) or _is_alike(shown, first, second)

    async def _is_for_inner_pages(self, context: ScanContext, url: str, page: _SitePage | None) -> bool:
        """Return whether a live front page links to one page under several addresses: to `page`, if it is given.

        The pages of a gallery are alike, too. So only what has the same bytes or ends at the same address is one page,
        and what differs no more than two pages that cannot be there.
        """
        addresses = await self._inner_pages_of(context, url)
        if len(addresses) < _INNER_PAGES:
            # A single page is not enough: it may be gone itself.
            return False

        compared = [page] if page is not None else []
        for address in addresses:
            inner = await self._page_at(context, address)
            if inner is None or _is_live(inner.reading):
                return False
            compared.append(inner)
        if all(_are_same(compared[0].reading, one.reading) for one in compared):
            return True

        first, second = [await self._page_at(context, urljoin(url, path)) for path in _absent_paths(url)]
        return first is not None and second is not None and all(_is_alike(one, first, second) for one in compared)

    async def _inner_pages_of(self, context: ScanContext, url: str) -> list[str]:
        """Return the pages that stand for those to which a site's front page links, the nearest to an address first.

        Once enough pages of a site were asked for, only these.
        """
        front = await self._page_at(context, urljoin(url, "/"))
        nearest = _nearest_pages(front.reading, url) if front is not None else []
        asked = self._inner_pages.setdefault(host_of(url), set())
        if len(asked.union(nearest[:_INNER_PAGES])) > _MOST_INNER_PAGES:
            nearest = [one for one in nearest if one in asked]
        chosen = nearest[:_INNER_PAGES]
        asked.update(chosen)
        return chosen

    async def _page_at(self, context: ScanContext, url: str) -> _SitePage | None:
        """Return what a site shows at an address, asked for once; None when it cannot be read."""
        if url not in self._pages:
            self._pages[url] = await self._load(context, url)
        return self._pages[url]

    async def _load(self, context: ScanContext, url: str) -> _SitePage | None:
        crawl = crawl_context_of(self._services, context)
        try:
            # Without the page cache: after a 304 there would be no words to compare.
            page = await PageLoader(crawl.fetcher).load(url)
            if not is_page(page.response):
                return None
            reading = await PageReader(context.source, crawl).read_capture(page)
        except (FetchFailed, FetchRefused):
            return None
        return await asyncio.to_thread(_site_page, reading)


def _site_page(reading: PageReading) -> _SitePage:
    """Return a page with its elements and words, without its own address, which many error pages repeat."""
    page = reading.page
    if page is None or page.is_unchanged:
        return _SitePage(reading, None)
    paths = [urlsplit(url).path for url in (page.response.url, page.final_url)]
    own = (page.response.url, page.final_url, *paths, *(unquote(path) for path in paths))
    left_out = tuple(one for one in own if len(one) > 1)
    return _SitePage(reading, elements_and_words(page.response, _MOST_COMPARED, left_out))


def _are_same(one: PageReading, other: PageReading) -> bool:
    """Return whether two addresses show one page: by where they led to, or by their bytes."""
    if one.sha256 is None:
        return False
    return one.sha256 == other.sha256 or page_key(one.final_url) == page_key(other.final_url)


def _is_alike(page: _SitePage, first: _SitePage, second: _SitePage) -> bool:
    """Return whether a page differs from two answers for missing pages little more than these from each other.

    It must have most of what both have in common. What it has besides may be twice what the two differ by, and a tenth
    of what they have in common.
    """
    if first.text is None or second.text is None or page.text is None:
        return False
    common = in_common(first.text, second.text)
    differing = max(len(first.text), len(second.text)) - len(common)
    kept = len(in_common(common, page.text))
    return kept >= _SAME_SHARE * len(common) and len(page.text) - kept <= 2 * differing + len(common) // 10


def _is_live(reading: PageReading) -> bool:
    """Return whether a page links to so many other pages of its site that it is no placeholder."""
    is_own = same_host(reading.final_url)
    keys = {page_key(url) for url in reading.links if is_own(url)}
    others = keys - {page_key(reading.final_url), page_key(urljoin(reading.final_url, "/"))}
    return len(others) >= _LINKS_OF_LIVE_PAGE


def _nearest_pages(front: PageReading, url: str) -> list[str]:
    """Return the other pages of its site to which a front page links, those in the folders of an address first."""
    is_own = same_host(front.final_url)
    passed_over = {page_key(url), page_key(front.final_url), page_key(urljoin(front.final_url, "/"))}
    # In reverse, so that of several addresses of a page the first counts.
    pages = {page_key(link): link for link in reversed(front.links) if is_own(link)}
    folders = urlsplit(url).path.split("/")

    def shared_folders(link: str) -> int:
        both = zip(folders, urlsplit(link).path.split("/"), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))

    others = [link for key, link in reversed(pages.items()) if key not in passed_over]
    return sorted(others, key=shared_folders, reverse=True)


def _absent_paths(url: str) -> tuple[str, str]:
    """Return two paths that cannot be there, always the same ones of a host."""
    digest = hashlib.sha256(host_of(url).encode()).hexdigest()
    return f"/no-such-page-{digest[:12]}", f"/no-such-page-{digest[12:24]}"
