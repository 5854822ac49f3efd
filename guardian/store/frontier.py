"""The crawl frontier: addresses that a scan has still to visit. It survives a crash, and is cleared when the scan ends.

A crawl calls `reopen` (False: a new crawl, so `add` the start pages), then again and again `claim`, fetches, and in
ONE transaction calls `add` for the links that it found and `done`; at the end `clear`.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from guardian.model import FETCHED, CrawlKind, CrawlRequest, FrontierRow, FrontierState
from guardian.store.inserting import insert_into
from guardian.store.scan_tables import frontier, scans
from guardian.urls.addresses import address_key


class Frontier:
    """The frontier table. Its key is (source, address), so finding an address again changes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, source: str, leads: Iterable[CrawlRequest]) -> int:
        """Add addresses to visit, in this order within their depth; return how many were new."""
        return len(self._added([_values(source, lead, FrontierState.WAITING) for lead in leads]))

    def take(self, source: str, lead: CrawlRequest) -> int | None:
        """Add an address that is being visited already; return its id, or None when it was known before."""
        return next(iter(self._added([_values(source, lead, FrontierState.IN_FLIGHT)])), None)

    def _added(self, rows: list[dict[str, object]]) -> list[int]:
        if not rows:
            return []
        statement = insert_into(self._connection, frontier)
        added = statement.on_conflict_do_nothing(index_elements=["source", "key"]).returning(frontier.c.id)
        return list(self._connection.execute(added, rows).scalars())

    def claim(self, source: str, limit: int, kind: CrawlKind | None = None) -> list[FrontierRow]:
        """Mark up to `limit` waiting addresses as in flight and return them, the shallowest, then the oldest first.

        They stay in flight until done, given back, or reopened after a crash. They need no lease: the running scan
        (see Scans) is a claim on its source, and no other scan writes to its rows.
        """
        waiting = select(frontier.c.id).where(frontier.c.source == source, frontier.c.state == FrontierState.WAITING)
        if kind is not None:
            waiting = waiting.where(frontier.c.kind == kind)
        waiting = waiting.order_by(frontier.c.depth, frontier.c.id).limit(limit).with_for_update(skip_locked=True)
        ids = list(self._connection.execute(waiting).scalars())
        if not ids:
            return []

        taken = self._connection.execute(
            update(frontier)
            .where(frontier.c.id.in_(ids))
            .values(state=FrontierState.IN_FLIGHT, tries=frontier.c.tries + 1)
            .returning(*frontier.c)
        )
        return sorted((_row(row) for row in taken), key=lambda row: (row.depth, row.id))

    def done(self, id_: int, outcome: str = FETCHED) -> None:
        """Mark an address as done for this scan. `outcome`: what came of it, in a short stable word."""
        self._connection.execute(
            update(frontier).where(frontier.c.id == id_).values(state=FrontierState.DONE, outcome=outcome)
        )

    def reopen(self, source: str) -> bool:
        """Continue a crawl that was interrupted: what was in flight waits again. Return False when there is none.

        A crawl of which nothing waits any more was interrupted between its last page and its end. It is continued
        too: to begin it anew would visit, and count, all of its pages a second time.
        """
        self._connection.execute(
            update(frontier)
            .where(frontier.c.source == source, frontier.c.state == FrontierState.IN_FLIGHT)
            .values(state=FrontierState.WAITING)
        )
        return self.count(source) > 0

    def knows(self, source: str, lead: CrawlRequest) -> bool:
        """Return whether an address is among those of this crawl, in whatever state."""
        key = _key(lead)
        query = select(frontier.c.id).where(frontier.c.source == source, frontier.c.key == key)
        return self._connection.execute(query).first() is not None

    def outcome_of(self, source: str, url: str) -> str | None:
        """Return what came of visiting an address in this crawl; None for one that was not visited."""
        query = select(frontier.c.outcome).where(
            frontier.c.source == source,
            frontier.c.key == _key(CrawlRequest(url)),
            frontier.c.state == FrontierState.DONE,
        )
        outcome: str | None = self._connection.execute(query).scalar()
        return outcome

    def is_only(self, source: str, outcomes: Collection[str]) -> bool:
        """Return whether every address of this crawl was visited, each with one of these outcomes."""
        is_other = or_(frontier.c.state != FrontierState.DONE, frontier.c.outcome.not_in(list(outcomes)))
        query = select(frontier.c.id).where(frontier.c.source == source, is_other).limit(1)
        return self._connection.execute(query).first() is None

    def has_read_pages(self, source: str, least: int) -> bool:
        """Return whether at least so many pages of this crawl were read, each under its own address."""
        is_read = (frontier.c.kind == CrawlKind.PAGE, frontier.c.outcome == FETCHED)
        query = select(frontier.c.id).where(frontier.c.source == source, *is_read).limit(least)
        return len(self._connection.execute(query).all()) >= least

    def count(self, source: str, state: FrontierState | None = None, kind: CrawlKind | None = None) -> int:
        """Return how many addresses there are, of one state and kind if given."""
        query = select(func.count()).select_from(frontier).where(frontier.c.source == source)
        if state is not None:
            query = query.where(frontier.c.state == state)
        if kind is not None:
            query = query.where(frontier.c.kind == kind)
        return self._connection.execute(query).scalar_one()

    def clear(self, source: str) -> None:
        """Delete the frontier of a scan that is over."""
        self._connection.execute(delete(frontier).where(frontier.c.source == source))

    def clear_abandoned(self, watched: Collection[str], untouched_since: datetime) -> int:
        """Delete the frontiers of crawls that nobody continues; return how many addresses they held.

        These are the crawls of sources that are not `watched` here and that no process has scanned since then:
        another process on this database may watch other sources.
        """
        touched = select(scans.c.source).where(
            or_(scans.c.ended_at.is_(None), scans.c.ended_at > untouched_since, scans.c.started_at > untouched_since)
        )
        is_left = (frontier.c.source.not_in(list(watched)), frontier.c.source.not_in(touched))
        return self._connection.execute(delete(frontier).where(*is_left)).rowcount


def _key(lead: CrawlRequest) -> str:
    """Return a digest (32 hex digits) of an address, which itself may be longer than an index takes."""
    return hashlib.sha256(address_key(lead.url).encode("utf-8", errors="surrogatepass")).hexdigest()[:32]


def _values(source: str, lead: CrawlRequest, state: FrontierState) -> dict[str, object]:
    return {
        "source": source,
        "key": _key(lead),
        "url": lead.url,
        "kind": lead.kind,
        "depth": lead.depth,
        "referrer": lead.referrer,
        "state": state,
        "tries": 0 if state is FrontierState.WAITING else 1,
    }


def _row(row: Row[tuple[object, ...]]) -> FrontierRow:
    return FrontierRow(
        id=row.id,
        source=row.source,
        url=row.url,
        kind=row.kind,
        depth=row.depth,
        referrer=row.referrer,
        state=row.state,
        tries=row.tries,
        outcome=row.outcome,
    )
