"""A crawl over many pages, breadth first, kept in the frontier table so that a killed scan goes on where it was.

The order of things makes it safe: leads are noted before their page counts as visited, and a page counts as
visited only when all its pictures have been answered (Checkpoint).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import unquote, urlsplit

import structlog

from guardian.crawl.context import Checkpoint, CrawlContext, Seen
from guardian.crawl.entries import ListEntries
from guardian.crawl.feeds import read_feed
from guardian.crawl.page_reader import PageReader, PageReading
from guardian.crawl.sitemaps import read_sitemap
from guardian.crawl.traps import Traps
from guardian.errors import ClaimLost, FetchFailed, FetchRefused
from guardian.model import CrawlRequest, FrontierRow, FrontierState, ScanCounts, Skipped, SkipReason
from guardian.store import Transaction
from guardian.urls.addresses import address_key, host_without_www

PAGES_AT_ONCE = 8
_LEADS_PER_PAGE = 50
_FEWEST_LEADS = 20_000
_FEWEST_LISTS = 50
_LISTS_WITHIN_LISTS = 3
_MANY_REDIRECTS = 10
_MOST_DEEPER = 20_000
_MOST_TRIES = 4
"""A page that was in flight at so many interruptions may be what interrupts."""

_LISTS = ("sitemap", "feed")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """`wanted`: whether a linked address belongs to the crawl. `max_depth`: links from a start to a page.

    `is_whole`: whoever asks means all there is, so that what lies deeper is left out and named.
    `are_listed`: whoever asks means what a list names, so that pages in it that are not wanted are named.
    """

    max_pages: int
    max_depth: int
    wanted: Callable[[str], bool]
    is_whole: bool = False
    are_listed: bool = False


@dataclass(frozen=True, slots=True)
class _Visited:
    """What came of one address: what it showed and where it leads. `also`: a row that is answered with it."""

    seen: tuple[Seen, ...] = ()
    leads: tuple[CrawlRequest, ...] = ()
    outcome: str = "fetched"
    counts: ScanCounts = field(default_factory=ScanCounts)
    also: int | None = None


class Crawler:
    """One pass of one source."""

    def __init__(self, source: str, context: CrawlContext, bounds: Bounds) -> None:
        self._source, self._context, self._bounds = source, context, bounds
        self._reader = PageReader(source, context)
        self._traps = Traps(context.clock().date())
        self._pages = self._lists = self._leads = self._beyond = 0
        self._room = max(_FEWEST_LEADS, bounds.max_pages * _LEADS_PER_PAGE)
        self._max_lists = max(_FEWEST_LISTS, bounds.max_pages)
        self._met = set[str]()
        self._deeper = dict[str, CrawlRequest]()
        self._led_to = Counter[str]()

    async def run(self, starts: Sequence[CrawlRequest]) -> AsyncIterator[Seen]:
        """Everything that is seen. Raises what fetching a start raised when there is nothing else to crawl."""
        await asyncio.to_thread(self._begin, starts)
        while rows := await asyncio.to_thread(self._claim):
            for row, visited in zip(rows, await self._visit_all(rows), strict=True):
                skipped = await asyncio.to_thread(self._note, visited.leads)
                for item in (*visited.seen, *skipped):
                    yield item
                yield Checkpoint(partial(self._done, row.id, visited), visited.counts)
        for detail in await asyncio.to_thread(self._left):
            yield Skipped(starts[0].url, SkipReason.BUDGET, detail)
        for url, number in self._led_to.items():
            if number >= _MANY_REDIRECTS:
                yield Skipped(url, SkipReason.REDIRECTED, f"{number} addresses lead to this one page: a login?")
        yield Checkpoint(self._clear)

    async def _visit_all(self, rows: Sequence[FrontierRow]) -> list[_Visited]:
        """Visit a few addresses side by side, results in their order."""

        async def one(row: FrontierRow) -> _Visited:
            try:
                return await self._visit_one(row)
            except (FetchRefused, FetchFailed) as error:
                if row.depth == 0 and row.referrer is None and await asyncio.to_thread(self._gives_up, row):
                    raise
                return _Visited((error.skipped,), outcome=error.skipped.word)
            except ClaimLost:
                raise
            except Exception as error:
                # The supervision point of one page: whatever it does to guardian, the others are visited.
                log.exception("page_failed", page_url=row.url)
                return _Visited((Skipped(row.url, SkipReason.INTERNAL, repr(error)),), outcome="internal")

        return list(await asyncio.gather(*(one(row) for row in rows)))

    async def _visit_one(self, row: FrontierRow) -> _Visited:
        if row.tries > _MOST_TRIES:
            why = f"the scan was cut off {row.tries - 1} times while this was being visited"
            return _Visited((Skipped(row.url, SkipReason.CRASHED, why),), outcome="crashed")
        if row.kind == "sitemap":
            listed = await read_sitemap(row.url, self._source, self._context)
            visited = _listed(listed, row)
            outside = [lead for lead in listed.leads if lead.kind == "page" and not self._bounds.wanted(lead.url)]
            if outside and self._bounds.are_listed:
                detail = f"{len(outside)} of its pages lie on other hosts, such as {outside[0].url}"
                visited = replace(visited, seen=(*visited.seen, Skipped(row.url, SkipReason.ELSEWHERE, detail)))
            return visited
        if row.kind == "feed":
            listed = await read_feed(row.url, self._source, self._context)
            return _listed(listed, row)
        reading = await self._reader.read(row.url)
        leads = tuple(CrawlRequest(url, "page", row.depth + 1, row.url) for url in reading.links)
        if row.depth >= self._bounds.max_depth:
            self._note_deeper(leads)
            leads = ()
        whole = _Visited(reading.seen, leads, counts=reading.counts)
        # A session id that a redirect adds names no other page.
        if address_key(reading.final_url) == address_key(row.url):
            return whole
        return await self._elsewhere(row, reading, whole)

    async def _elsewhere(self, row: FrontierRow, reading: PageReading, whole: _Visited) -> _Visited:
        """An address that redirects: where it leads is seen once, under its own name."""
        is_start = row.depth == 0 and row.referrer is None
        if not self._bounds.wanted(reading.final_url):
            leaves = Skipped(row.url, SkipReason.ELSEWHERE, f"leads out of this source, to {reading.final_url}")
            # What a start leads to was asked for; its links are another site's.
            return replace(whole, seen=(*whole.seen, leaves)) if is_start else _Visited((leaves,), outcome="elsewhere")
        place = _without_return(reading.final_url, row.url)
        self._led_to[place] += 1
        taken = await asyncio.to_thread(self._take, CrawlRequest(place, "page", row.depth, row.url))
        if taken is None and not is_start:
            return _Visited(outcome="redirected")
        return replace(whole, outcome="redirected", also=taken)

    def _take(self, lead: CrawlRequest) -> int | None:
        with self._context.store.begin() as tx:
            return tx.frontier.take(self._source, lead)

    def _note_deeper(self, leads: Sequence[CrawlRequest]) -> None:
        if self._bounds.is_whole:
            wanted = [lead for lead in leads if self._bounds.wanted(lead.url)]
            for lead in wanted[: _MOST_DEEPER - len(self._deeper)]:
                self._deeper.setdefault(address_key(lead.url), lead)

    def _begin(self, starts: Sequence[CrawlRequest]) -> None:
        with self._context.store.begin() as tx:
            # What was left behind by a source of this name that began elsewhere is nothing to go on with.
            if not (tx.frontier.knows(self._source, starts[0]) and tx.frontier.reopen(self._source)):
                tx.frontier.clear(self._source)
                tx.frontier.add(self._source, starts)
            self._pages = tx.frontier.count(self._source, FrontierState.DONE, "page")
            self._lists = sum(tx.frontier.count(self._source, FrontierState.DONE, kind) for kind in _LISTS)
            self._leads = tx.frontier.count(self._source)

    def _claim(self) -> list[FrontierRow]:
        with self._context.store.begin() as tx:
            for kind in _LISTS:
                room = max(0, min(PAGES_AT_ONCE, self._max_lists - self._lists))
                if lists := tx.frontier.claim(self._source, room, kind):
                    self._lists += len(lists)
                    return lists
            room = max(0, min(PAGES_AT_ONCE, self._bounds.max_pages - self._pages))
            rows = tx.frontier.claim(self._source, room, "page")
        self._pages += len(rows)
        return rows

    def _note(self, leads: Sequence[CrawlRequest]) -> list[Skipped]:
        """Add what is worth following; an Skipped for each thing that is not, once."""
        skipped: list[Skipped] = []
        kept: list[CrawlRequest] = []
        for lead in leads:
            name = address_key(lead.url)
            if name in self._met or (lead.kind == "page" and not self._bounds.wanted(lead.url)):
                continue
            if self._leads + len(kept) >= self._room:
                # Not noted as met either: memory has bounds, and so has the count's exactness.
                self._beyond += 1
                continue
            self._met.add(name)
            reason = self._traps.reason(lead.url) if lead.kind == "page" else None
            if reason is None:
                kept.append(lead)
            else:
                skipped.append(Skipped(lead.url, SkipReason.BUDGET, reason))
        if kept:
            with self._context.store.begin() as tx:
                self._leads += tx.frontier.add(self._source, kept)
        return skipped

    def _done(self, row_id: int, visited: _Visited, tx: Transaction) -> None:
        tx.frontier.done(row_id, visited.outcome)
        if visited.also is not None:
            tx.frontier.done(visited.also)

    def _left(self) -> list[str]:
        """What was not visited, in words."""
        with self._context.store.read() as tx:
            pages = tx.frontier.count(self._source, FrontierState.WAITING, "page")
            lists = sum(tx.frontier.count(self._source, FrontierState.WAITING, kind) for kind in _LISTS)
            deeper = sum(not tx.frontier.knows(self._source, lead) for lead in self._deeper.values())
        bounds = self._bounds
        return [
            words
            for number, words in (
                (pages, f"{pages} more pages wait beyond max_pages: {bounds.max_pages}"),
                (lists, f"{lists} more sitemaps wait beyond the {self._max_lists} that one scan reads"),
                (deeper, f"{deeper} more pages are linked from those max_depth: {bounds.max_depth} links away"),
                (self._beyond, f"{self._beyond} more links than the {self._room} that are kept"),
            )
            if number
        ]

    def _clear(self, tx: Transaction) -> None:
        tx.frontier.clear(self._source)

    def _gives_up(self, start: FrontierRow) -> bool:
        """Whether a start that failed is all there is: no page is known besides. Lists of pages are read first."""
        with self._context.store.begin() as tx:
            is_all = tx.frontier.count(self._source, kind="page") == (start.kind == "page")
            if is_all:
                self._clear(tx)
        return is_all


def _listed(listed: ListEntries, row: FrontierRow) -> _Visited:
    """Addresses of a list of pages are starts of their own; lists within lists may not go on for ever."""
    lists = [replace(lead, depth=row.depth + 1) for lead in listed.leads if lead.kind != "page"]
    seen = listed.seen
    if lists and row.depth >= _LISTS_WITHIN_LISTS:
        detail = f"{len(lists)} sitemaps, more than {_LISTS_WITHIN_LISTS} sitemaps within each other"
        lists, seen = [], (*seen, Skipped(row.url, SkipReason.BUDGET, detail))
    return _Visited(seen, (*lists, *(lead for lead in listed.leads if lead.kind == "page")))


def _without_return(url: str, asked: str) -> str:
    """An address without what it notes of the one that led there, as logins do: /login?next=%2Fmembers."""
    place, _, query = url.partition("?")
    path = urlsplit(asked).path.rstrip("/")
    kept = "&".join(part for part in query.split("&") if not path or path not in unquote(unquote(part)))
    return f"{place}?{kept}" if kept else place


def same_host(url: str) -> Callable[[str], bool]:
    """Whether an address lies on the same host, with or without www."""
    home = host_without_www(url)
    return lambda other: host_without_www(other) == home
