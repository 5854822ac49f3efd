"""Tells a page that was taken away from a site that answers every address alike, as while it is under repair.

Such an answer may differ a little each time, by a token, the time or a text drawn by lot.
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

_FEWEST_WAYS_ON = 3
"""A front page that leads to so many other pages of its site is at work, though it stands for every missing page."""

_INNER_PAGES = 2
"""Pages to which a live front page leads that must all be one page, for the pages below it to be under repair."""

_MOST_INNER_PAGES = 4
"""Such pages that are asked for of one site: a case may have hundreds of places, each in a folder of its own."""

_MOST_SITES = 5
"""Hosts that are asked at the end of one scan."""

_LONGEST = 1_000
"""Elements and words; a page of more is no page for repairs."""

_SAME_SHARE = 0.7
"""Of what two answers for missing pages have in common, so much must stand in a third one that is alike."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A page as it came for this comparison. `text`: its elements and words; None when they cannot be compared."""

    reading: PageReading
    text: tuple[str, ...] | None


async def sites_under_repair(
    services: Services, context: ScanContext, missed: Sequence[UnseenFinding]
) -> frozenset[str]:
    """Return the hosts of findings that are about to be missed which have one page for every address.

    A front page may be another one, if it leads to one page alone.

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
    """What sites answer for their front page, pages to which it leads, and pages that cannot be there.

    Each site is asked for seven pages at most, whatever the number of its addresses, and for each once.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asked: dict[str, _Answer | None] = {}
        self._inner: dict[str, set[str]] = {}

    async def are_alike(self, context: ScanContext, url: str, reading: PageReading) -> bool:
        """Return whether the site answers every address as it answered this one, so that nothing was taken away.

        That is so when a page that cannot be there and the front page lead to the same page, or have the same bytes, or
        differ by no more words than two pages that cannot be there, and this page leads nowhere. Where the front page
        is live, two pages to which it leads must be so. False when the site does not say: most answer 404 for what is
        not there. Raises GuardianError when the database is lost.
        """
        if _ways_on(reading) >= _FEWEST_WAYS_ON:
            return False
        answer = await asyncio.to_thread(_answer, reading)
        return await self._is_usual(context, url, answer) or await self._is_inner(context, url, answer)

    async def is_one_page(self, context: ScanContext, url: str) -> bool:
        """Return whether the site of an address has one page for all, or for all to which its front page leads."""
        front = await self._ask(context, urljoin(url, "/"))
        if front is None:
            return False
        if _ways_on(front.reading) < _FEWEST_WAYS_ON and await self._is_usual(context, url, front):
            return True
        return await self._is_inner(context, url, None)

    async def _is_usual(self, context: ScanContext, url: str, answer: _Answer) -> bool:
        """Return whether an answer of a site is the one for what is not there, and for the front page."""
        absent, another, front = (urljoin(url, path) for path in (*_absent_paths(url), "/"))
        first = await self._ask(context, absent)
        if first is None:
            return False

        if _is_same(first.reading, answer.reading):
            second = answer if answer.text is not None else first
        else:
            # A second address that cannot exist shows how much two answers for missing pages differ.
            asked = await self._ask(context, another)
            if asked is None or not _is_alike(first, asked, answer):
                return False
            second = asked

        shown = await self._ask(context, front)
        if shown is None or _ways_on(shown.reading) >= _FEWEST_WAYS_ON:
            return False
        return _is_same(shown.reading, answer.reading) or _is_alike(first, second, shown)

    async def _is_inner(self, context: ScanContext, url: str, answer: _Answer | None) -> bool:
        """Return whether a live front page leads to one page under several addresses: to `answer`, if there is one.

        The pages of a gallery are alike, too. So only what has the same bytes or ends at the same address is one page,
        and what differs no more than two pages that cannot be there.
        """
        front = await self._ask(context, urljoin(url, "/"))
        nearest = _nearest_pages(front.reading, url) if front is not None else []
        known = self._inner.setdefault(host_of(url), set())
        if len(known.union(nearest[:_INNER_PAGES])) > _MOST_INNER_PAGES:
            nearest = [one for one in nearest if one in known]
        asked = nearest[:_INNER_PAGES]
        known.update(asked)
        if len(asked) < _INNER_PAGES:
            # A single page is not enough: it may be gone itself.
            return False

        alike = [answer] if answer is not None else []
        for address in asked:
            page = await self._ask(context, address)
            if page is None or _ways_on(page.reading) >= _FEWEST_WAYS_ON:
                return False
            alike.append(page)
        if all(_is_same(alike[0].reading, one.reading) for one in alike):
            return True

        first, second = [await self._ask(context, urljoin(url, path)) for path in _absent_paths(url)]
        return first is not None and second is not None and all(_is_alike(first, second, one) for one in alike)

    async def _ask(self, context: ScanContext, url: str) -> _Answer | None:
        """Return what a page of a site says now; None when it cannot be read."""
        if url not in self._asked:
            self._asked[url] = await self._read(context, url)
        return self._asked[url]

    async def _read(self, context: ScanContext, url: str) -> _Answer | None:
        crawl = crawl_context_of(self._services, context)
        try:
            # Without the page cache: after a 304 there would be no words to compare.
            page = await PageLoader(crawl.fetcher).load(url)
            if not is_page(page.response):
                return None
            reading = await PageReader(context.source, crawl).read_capture(page)
        except (FetchFailed, FetchRefused):
            return None
        return await asyncio.to_thread(_answer, reading)


def _answer(reading: PageReading) -> _Answer:
    page = reading.page
    if page is None or page.is_unchanged:
        return _Answer(reading, None)
    # The address of a page is taken out of its words, since many error pages repeat it.
    paths = [urlsplit(url).path for url in (page.response.url, page.final_url)]
    own = (page.response.url, page.final_url, *paths, *(unquote(path) for path in paths))
    return _Answer(reading, elements_and_words(page.response, _LONGEST, tuple(one for one in own if len(one) > 1)))


def _is_same(one: PageReading, other: PageReading) -> bool:
    """Return whether two answers are one page: where they led to, or by their bytes."""
    if one.sha256 is None:
        return False
    return one.sha256 == other.sha256 or page_key(one.final_url) == page_key(other.final_url)


def _is_alike(first: _Answer, second: _Answer, answer: _Answer) -> bool:
    """Return whether an answer differs from two others, which stand for the same, no more than these do."""
    if first.text is None or second.text is None or answer.text is None:
        return False
    lasting = in_common(first.text, second.text)
    varying = max(len(first.text), len(second.text)) - len(lasting)
    kept = len(in_common(lasting, answer.text))
    return kept >= _SAME_SHARE * len(lasting) and len(answer.text) - kept <= 2 * varying + len(lasting) // 10


def _ways_on(reading: PageReading) -> int:
    """Return to how many other pages of its site a page leads."""
    is_own = same_host(reading.final_url)
    keys = {page_key(url) for url in reading.links if is_own(url)}
    return len(keys - {page_key(reading.final_url), page_key(urljoin(reading.final_url, "/"))})


def _nearest_pages(front: PageReading, url: str) -> list[str]:
    """Return the other pages of its site to which a front page leads, those in the folders of an address first."""
    is_own = same_host(front.final_url)
    passed_over = {page_key(url), page_key(front.final_url), page_key(urljoin(front.final_url, "/"))}
    pages = {page_key(link): link for link in reversed(front.links) if is_own(link)}
    folders = urlsplit(url).path.split("/")

    def shared(link: str) -> int:
        both = zip(folders, urlsplit(link).path.split("/"), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))

    own = [link for key, link in reversed(pages.items()) if key not in passed_over]
    return sorted(own, key=shared, reverse=True)


def _absent_paths(url: str) -> tuple[str, str]:
    """Return two paths that cannot be there, always the same ones of a host."""
    digest = hashlib.sha256(host_of(url).encode()).hexdigest()
    return f"/no-such-page-{digest[:12]}", f"/no-such-page-{digest[12:24]}"
