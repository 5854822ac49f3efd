"""A crawl over many pages, breadth first, kept in the frontier table so that a killed scan goes on where it was.

The order of things makes it safe: leads are noted before their page counts as visited, and a page counts as
visited only when all its pictures have been answered (Milestone).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from guardian.addresses import address_key, host_of
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import FrontierRow, FrontierState, Lead, Omission
from guardian.sources.feed_entries import read_feed
from guardian.sources.reading import PageReader, Reading
from guardian.sources.sitemap_entries import read_sitemap
from guardian.sources.traps import Traps, key_of
from guardian.sources.visit import Milestone, Seen, Visit
from guardian.store import Transaction

PAGES_AT_ONCE = 8
_LEADS_PER_PAGE = 50
_FEWEST_LEADS = 20_000
_MOST_TRIES = 4
"""A page that was in flight at so many interruptions may be what interrupts."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """`wanted`: whether a linked address belongs to the crawl. `max_depth`: links from a start to a page."""

    max_pages: int
    max_depth: int
    wanted: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Visited:
    """What came of one address: what it showed and where it leads."""

    seen: tuple[Seen, ...] = ()
    leads: tuple[Lead, ...] = ()
    outcome: str = "fetched"
    counts: tuple[str, ...] = ()


class Crawl:
    """One pass of one source."""

    def __init__(self, source: str, visit: Visit, bounds: Bounds) -> None:
        self._source, self._visit, self._bounds = source, visit, bounds
        self._reader = PageReader(source, visit)
        self._traps = Traps(visit.clock().date())
        self._pages = self._leads = self._beyond = 0
        self._room = max(_FEWEST_LEADS, bounds.max_pages * _LEADS_PER_PAGE)
        self._met = set[str]()

    async def run(self, starts: Sequence[Lead]) -> AsyncIterator[Seen]:
        """Everything that is seen. Raises what fetching the only start raised: then there is nothing to crawl."""
        await asyncio.to_thread(self._begin, starts)
        while rows := await asyncio.to_thread(self._claim):
            for row, visited in zip(rows, await self._visit_all(rows, len(starts) == 1), strict=True):
                omissions = await asyncio.to_thread(self._note, visited.leads)
                for item in (*visited.seen, *omissions):
                    yield item
                yield Milestone(partial(self._done, row.id, visited.outcome), Counter(visited.counts))
        if left := await asyncio.to_thread(self._count_waiting):
            limit = self._bounds.max_pages
            yield Omission(starts[0].url, "budget", f"{left} more pages wait beyond max_pages: {limit}")
        if self._beyond:
            yield Omission(starts[0].url, "budget", f"{self._beyond} more links than the {self._room} that are kept")
        yield Milestone(self._clear)

    async def _visit_all(self, rows: Sequence[FrontierRow], is_only_start: bool) -> list[_Visited]:
        """Visit a few addresses side by side, results in their order."""

        async def one(row: FrontierRow) -> _Visited:
            try:
                return await self._visit_one(row)
            except (FetchRefused, FetchFailed) as error:
                if is_only_start and row.depth == 0 and row.referrer is None:
                    await asyncio.to_thread(self._give_up)
                    raise
                return _Visited((Omission(error.url, error.reason, error.detail),), outcome=error.reason)
            except Exception as error:
                # The supervision point of one page: whatever it does to guardian, the others are visited.
                log.exception("page_failed", page_url=row.url)
                return _Visited((Omission(row.url, "internal", repr(error)),), outcome="internal")

        return list(await asyncio.gather(*(one(row) for row in rows)))

    async def _visit_one(self, row: FrontierRow) -> _Visited:
        if row.tries > _MOST_TRIES:
            why = f"the scan was cut off {row.tries - 1} times while this was being visited"
            return _Visited((Omission(row.url, "crashed", why),), outcome="crashed")
        if row.kind == "sitemap":
            listed = await read_sitemap(row.url, self._source, self._visit)
            return _Visited(listed.seen, tuple(_within(listed.leads, row)))
        if row.kind == "feed":
            listed = await read_feed(row.url, self._source, self._visit)
            return _Visited(listed.seen, tuple(_within(listed.leads, row)))
        reading = await self._reader.read(row.url)
        if row.depth and address_key(reading.final_url) != address_key(row.url):
            return self._elsewhere(row, reading)
        links = reading.links if row.depth < self._bounds.max_depth else ()
        leads = (Lead(url, "page", row.depth + 1, row.url, key_of(url)) for url in links)
        return _Visited(reading.seen, tuple(leads), counts=reading.counts)

    def _elsewhere(self, row: FrontierRow, reading: Reading) -> _Visited:
        """A link that redirects: where it leads is visited as itself, so that it is not seen under two names."""
        if not self._bounds.wanted(reading.final_url):
            leaves = Omission(row.url, "elsewhere", f"leads out of this source, to {reading.final_url}")
            return _Visited((leaves,), outcome="elsewhere")
        lead = Lead(reading.final_url, "page", row.depth, row.url, key_of(reading.final_url))
        return _Visited((), (lead,), outcome="redirected")

    def _begin(self, starts: Sequence[Lead]) -> None:
        with self._visit.store.begin() as tx:
            # What was left behind by a source of this name that began elsewhere is nothing to go on with.
            if not (tx.frontier.knows(self._source, starts[0]) and tx.frontier.reopen(self._source)):
                tx.frontier.clear(self._source)
                tx.frontier.add(self._source, starts)
            self._pages = tx.frontier.count(self._source, FrontierState.DONE, "page")
            self._leads = tx.frontier.count(self._source)

    def _claim(self) -> list[FrontierRow]:
        with self._visit.store.begin() as tx:
            lists = [
                row for kind in ("sitemap", "feed") for row in tx.frontier.claim(self._source, PAGES_AT_ONCE, kind)
            ]
            if lists:
                return lists
            room = max(0, min(PAGES_AT_ONCE, self._bounds.max_pages - self._pages))
            rows = tx.frontier.claim(self._source, room, "page")
        self._pages += len(rows)
        return rows

    def _note(self, leads: Sequence[Lead]) -> list[Omission]:
        """Add what is worth following; an Omission for each thing that is not, once."""
        omissions: list[Omission] = []
        kept: list[Lead] = []
        for lead in leads:
            name = lead.key or key_of(lead.url)
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
                omissions.append(Omission(lead.url, "budget", reason))
        if kept:
            with self._visit.store.begin() as tx:
                self._leads += tx.frontier.add(self._source, kept)
        return omissions

    def _done(self, row_id: int, outcome: str, tx: Transaction) -> None:
        tx.frontier.done(row_id, outcome)

    def _count_waiting(self) -> int:
        with self._visit.store.read() as tx:
            return tx.frontier.count(self._source, FrontierState.WAITING, "page")

    def _clear(self, tx: Transaction) -> None:
        tx.frontier.clear(self._source)

    def _give_up(self) -> None:
        with self._visit.store.begin() as tx:
            self._clear(tx)


def _within(leads: Sequence[Lead], row: FrontierRow) -> list[Lead]:
    """Addresses of a list of pages are starts of their own; lists within lists may not go on for ever."""
    return [lead for lead in leads if lead.kind == "page" or row.depth < 3]


def same_host(url: str) -> Callable[[str], bool]:
    """Whether an address lies on the same host, with or without www."""
    home = host_of(url).removeprefix("www.")
    return lambda other: host_of(other).removeprefix("www.") == home
