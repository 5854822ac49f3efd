"""Crawls many pages, breadth first. The frontier table keeps the progress, so that the next scan goes on after a kill.

No crash loses a link or a picture: the links of a page are written before it counts as visited, and it counts as
visited only when all its pictures have been answered (see Checkpoint).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

import structlog

from guardian.concurrency import run_all
from guardian.crawl.context import CrawlContext, Seen
from guardian.crawl.lists import ListReader, ListReading
from guardian.crawl.page_reader import PageReader, PageReading
from guardian.crawl.traps import Traps
from guardian.errors import ClaimLost, FetchFailed, FetchRefused, StoreUnusable, internal_error_text
from guardian.model import (
    FETCHED,
    REDIRECTED,
    Checkpoint,
    CrawlKind,
    CrawlRequest,
    FrontierRow,
    FrontierState,
    ScanCounts,
    Skipped,
    SkipReason,
)
from guardian.urls.addresses import address_key, host_without_www
from guardian.views.counting import counted

PAGES_AT_ONCE = 8
_LINKS_PER_PAGE = 50
_FEWEST_LINKS = 20_000
_FEWEST_LISTS = 50
_LISTS_WITHIN_LISTS = 3
_MANY_REDIRECTS = 10
_MOST_DEEPER = 20_000
_MOST_TRIES = 4
"""A page that was being visited at so many interruptions may be their cause."""

_LISTS = (CrawlKind.SITEMAP, CrawlKind.FEED)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a crawl goes. `wanted` tells whether a linked address belongs to it.

    `max_depth` counts links from a start to a page. `is_whole`: the source stands for a whole site, so pages that
    lie deeper are reported as skipped. `are_listed`: the source stands for what a list names, so pages of the list
    that are not wanted are reported as skipped.
    """

    max_pages: int
    max_depth: int
    wanted: Callable[[str], bool]
    is_whole: bool = False
    are_listed: bool = False


@dataclass(frozen=True, slots=True)
class _Visited:
    """The result of visiting one address: what it shows and where it leads.

    `outcome` is the word for its frontier row, `counts` are added to those of the scan. `also_visited` is the
    frontier row of the page that the address redirects to, which is answered with it.
    """

    seen: tuple[Seen, ...] = ()
    links: tuple[CrawlRequest, ...] = ()
    outcome: str = FETCHED
    counts: ScanCounts = field(default_factory=ScanCounts)
    also_visited: int | None = None

    def checkpoint(self, source: str, row_id: int) -> Checkpoint:
        """Return the checkpoint to yield after everything that was seen here."""
        visited = [(row_id, self.outcome)]
        if self.also_visited is not None:
            visited.append((self.also_visited, FETCHED if self.outcome == REDIRECTED else self.outcome))
        return Checkpoint(source, tuple(visited), counts=self.counts)


class Crawler:
    """Crawls one source, once."""

    def __init__(self, source: str, context: CrawlContext, bounds: Bounds) -> None:
        self._source, self._context, self._bounds = source, context, bounds
        self._pages_reader = PageReader(source, context)
        self._lists_reader = ListReader(source, context)
        self._traps = Traps(context.clock().date())
        # Counts: pages and lists claimed, links kept in the frontier, and links beyond what it may hold.
        self._pages = self._lists = self._links = self._links_beyond = 0
        self._max_links = max(_FEWEST_LINKS, bounds.max_pages * _LINKS_PER_PAGE)
        self._max_lists = max(_FEWEST_LISTS, bounds.max_pages)
        self._met = set[str]()
        self._deeper = dict[str, CrawlRequest]()
        self._led_to = Counter[str]()

    async def run(self, starts: Sequence[CrawlRequest]) -> AsyncIterator[Seen]:
        """Yield everything that is seen, and a checkpoint after each visit.

        Raises FetchRefused, FetchFailed when a start cannot be fetched and there is nothing else to crawl.
        """
        if await asyncio.to_thread(self._begin, starts):
            yield Checkpoint(self._source, begins_anew=True)
        while rows := await asyncio.to_thread(self._claim):
            for row, visited in zip(rows, await self._visit_all(rows), strict=True):
                # The links of a page are written before it counts as visited, so that a crash loses none.
                skipped = await asyncio.to_thread(self._note, visited.links)
                for item in (*visited.seen, *skipped):
                    yield item
                yield visited.checkpoint(self._source, row.id)

        for detail in await asyncio.to_thread(self._left):
            yield Skipped(starts[0].url, SkipReason.BUDGET, detail)
        for url, number in self._led_to.items():
            if number >= _MANY_REDIRECTS:
                yield Skipped(url, SkipReason.REDIRECTED, f"{number} addresses lead to this one page: a login?")
        yield Checkpoint(self._source, is_finished=True)

    async def _visit_all(self, rows: Sequence[FrontierRow]) -> list[_Visited]:
        """Visit a few addresses at the same time; return the results in their order."""

        async def one(row: FrontierRow) -> _Visited:
            try:
                return await self._visit_one(row)
            except (FetchRefused, FetchFailed) as error:
                # When a start cannot be read and nothing else is known, the source cannot be read.
                if row.depth == 0 and row.referrer is None and await asyncio.to_thread(self._gives_up, row):
                    raise
                return _Visited((error.skipped,), outcome=error.skipped.word)
            except (ClaimLost, StoreUnusable):
                # No fault of this page, and every other one would fail the same way.
                raise
            except Exception as error:
                # Supervises one page: whatever goes wrong with it, the others are visited.
                log.exception("page_failed", page_url=row.url)
                failed = Skipped(row.url, SkipReason.INTERNAL, internal_error_text(error))
                return _Visited((failed,), outcome=SkipReason.INTERNAL.value)

        return await run_all(one(row) for row in rows)

    async def _visit_one(self, row: FrontierRow) -> _Visited:
        """Visit one page, sitemap or feed. Raises FetchRefused, FetchFailed."""
        if row.tries > _MOST_TRIES:
            # Otherwise every later scan would begin with the page that kills it.
            detail = f"the scan was cut off {row.tries - 1} times while this was being visited"
            return _Visited((Skipped(row.url, SkipReason.CRASHED, detail),), outcome=SkipReason.CRASHED.value)

        match row.kind:
            case CrawlKind.SITEMAP:
                return await self._visit_sitemap(row)
            case CrawlKind.FEED:
                return _of_list(await self._lists_reader.feed(row.url), row)
            case CrawlKind.PAGE:
                return await self._visit_page(row)

    async def _visit_sitemap(self, row: FrontierRow) -> _Visited:
        listed = await self._lists_reader.sitemap(row.url, row.depth)
        visited = _of_list(listed, row)

        outside = [page for page in listed.pages if not self._bounds.wanted(page.url)]
        if outside and self._bounds.are_listed:
            detail = f"{len(outside)} of its pages lie on other hosts, such as {outside[0].url}"
            visited = replace(visited, seen=(*visited.seen, Skipped(row.url, SkipReason.ELSEWHERE, detail)))
        return visited

    async def _visit_page(self, row: FrontierRow) -> _Visited:
        reading = await self._pages_reader.read(row.url)
        links = tuple(CrawlRequest(url, CrawlKind.PAGE, row.depth + 1, row.url) for url in reading.links)
        if row.depth >= self._bounds.max_depth:
            self._note_deeper(links)
            links = ()

        # A page that did not show what it has is not one that was read: nothing is missed on it.
        outcome = reading.hidden_by.value if reading.hidden_by is not None else FETCHED
        whole = _Visited(reading.seen, links, outcome, reading.counts)
        # A redirect that only adds a session id leads to the same page.
        if address_key(reading.final_url) == address_key(row.url):
            return whole
        return await self._redirected(row, reading, whole)

    async def _redirected(self, row: FrontierRow, reading: PageReading, whole: _Visited) -> _Visited:
        """Return the result for an address that redirects. Its target is reported once, under its own address."""
        is_start = row.depth == 0 and row.referrer is None
        if not self._bounds.wanted(reading.final_url):
            leaves = Skipped(row.url, SkipReason.ELSEWHERE, f"leads out of this source, to {reading.final_url}")
            if not is_start:
                return _Visited((leaves,), outcome=SkipReason.ELSEWHERE.value)
            # The user asked for this page by naming a start that leads to it; its links belong to another site.
            return replace(whole, seen=(*whole.seen, leaves))

        outcome = REDIRECTED if whole.outcome == FETCHED else whole.outcome
        # Many addresses may redirect to one page: the first of them adds its row to the frontier and reports it.
        target = _without_return(reading.final_url, row.url)
        self._led_to[target] += 1
        taken = await asyncio.to_thread(self._take, CrawlRequest(target, CrawlKind.PAGE, row.depth, row.url))
        if taken is None and not is_start:
            return _Visited(outcome=outcome)
        return replace(whole, outcome=outcome, also_visited=taken)

    def _take(self, request: CrawlRequest) -> int | None:
        with self._context.store.begin() as tx:
            return tx.frontier.take(self._source, request)

    def _note_deeper(self, links: Sequence[CrawlRequest]) -> None:
        """Remember pages that lie too deep. Only at the end is it known whether a shorter way leads to them."""
        if self._bounds.is_whole:
            wanted = [link for link in links if self._bounds.wanted(link.url)]
            for link in wanted[: _MOST_DEEPER - len(self._deeper)]:
                self._deeper.setdefault(address_key(link.url), link)

    def _begin(self, starts: Sequence[CrawlRequest]) -> bool:
        """Go on with the crawl that an earlier scan left, or begin a new one from the starts; return whether it did."""
        with self._context.store.begin() as tx:
            # A frontier without this start is from before the source's address was changed: begin anew.
            begins_anew = not (tx.frontier.knows(self._source, starts[0]) and tx.frontier.reopen(self._source))
            if begins_anew:
                tx.frontier.clear(self._source)
                tx.frontier.add(self._source, starts)

            self._pages = tx.frontier.count(self._source, FrontierState.DONE, CrawlKind.PAGE)
            self._lists = sum(tx.frontier.count(self._source, FrontierState.DONE, kind) for kind in _LISTS)
            self._links = tx.frontier.count(self._source)
        return begins_anew

    def _claim(self) -> list[FrontierRow]:
        """Claim the next few addresses, within the budgets of this crawl; none when it is over."""
        with self._context.store.begin() as tx:
            # Lists first: they name pages that links would lead to late or never.
            for kind in _LISTS:
                most = max(0, min(PAGES_AT_ONCE, self._max_lists - self._lists))
                if lists := tx.frontier.claim(self._source, most, kind):
                    self._lists += len(lists)
                    return lists

            most = max(0, min(PAGES_AT_ONCE, self._bounds.max_pages - self._pages))
            rows = tx.frontier.claim(self._source, most, CrawlKind.PAGE)
        self._pages += len(rows)
        return rows

    def _note(self, links: Sequence[CrawlRequest]) -> list[Skipped]:
        """Add links that are worth following to the frontier; return a Skipped for each new one that is a trap."""
        skipped: list[Skipped] = []
        kept: list[CrawlRequest] = []
        for link in links:
            key = address_key(link.url)
            is_outside = link.kind is CrawlKind.PAGE and not self._bounds.wanted(link.url)
            if key in self._met or is_outside:
                continue

            if self._links + len(kept) >= self._max_links:
                # Not added to `_met` either, which would grow without bounds; so a link may be counted twice.
                self._links_beyond += 1
                continue

            self._met.add(key)
            reason = self._traps.reason(link.url) if link.kind is CrawlKind.PAGE else None
            if reason is None:
                kept.append(link)
            else:
                skipped.append(Skipped(link.url, SkipReason.BUDGET, reason))

        if kept:
            with self._context.store.begin() as tx:
                self._links += tx.frontier.add(self._source, kept)
        return skipped

    def _left(self) -> list[str]:
        """Return what was not visited, one sentence for each reason."""
        with self._context.store.read() as tx:
            pages = tx.frontier.count(self._source, FrontierState.WAITING, CrawlKind.PAGE)
            lists = sum(tx.frontier.count(self._source, FrontierState.WAITING, kind) for kind in _LISTS)
            deeper = sum(not tx.frontier.knows(self._source, link) for link in self._deeper.values())

        bounds, left = self._bounds, list[str]()
        if pages:
            left.append(f"max_pages: {bounds.max_pages} leaves {counted(pages, 'more page')} unvisited")
        if lists:
            left.append(f"one scan reads {self._max_lists} sitemaps, which leaves {lists} unread")
        if deeper:
            left.append(f"max_depth: {bounds.max_depth} leaves {counted(deeper, 'more page')} unvisited")
        if self._links_beyond:
            left.append(f"{counted(self._links_beyond, 'link')} beyond the {self._max_links} that are kept")
        return left

    def _gives_up(self, start: FrontierRow) -> bool:
        """Return whether to give up after a start failed: when no page is known but this start.

        Lists are claimed before pages, so by then they have named their pages.
        """
        with self._context.store.begin() as tx:
            is_all = tx.frontier.count(self._source, kind=CrawlKind.PAGE) == (start.kind is CrawlKind.PAGE)
            if is_all:
                # The next scan begins at the starts again.
                tx.frontier.clear(self._source)
        return is_all


def _of_list(listed: ListReading, row: FrontierRow) -> _Visited:
    """Return what a sitemap or feed shows and leads to; sitemaps nested too deep are reported as skipped."""
    sitemaps, seen = listed.sitemaps, listed.seen
    if sitemaps and row.depth >= _LISTS_WITHIN_LISTS:
        detail = f"{counted(len(sitemaps), 'sitemap')} deeper than {_LISTS_WITHIN_LISTS} sitemaps within each other"
        sitemaps, seen = (), (*seen, Skipped(row.url, SkipReason.BUDGET, detail))
    return _Visited(seen, (*sitemaps, *listed.pages))


def _without_return(url: str, asked: str) -> str:
    """Return an address without query parameters that hold the path of `asked`, as in /login?next=%2Fmembers."""
    address, _, query = url.partition("?")
    path = urlsplit(asked).path.rstrip("/")
    # Some logins encode the address twice.
    kept = "&".join(part for part in query.split("&") if not path or path not in unquote(unquote(part)))
    return f"{address}?{kept}" if kept else address


def same_host(url: str) -> Callable[[str], bool]:
    """Return a test of whether an address lies on the same host, with or without www."""
    home = host_without_www(url)
    return lambda other: host_without_www(other) == home
