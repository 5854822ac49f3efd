"""The crawl frontier (addresses still to visit), and the HTTP validators that make the next visit cheap."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from guardian.model.scans import ScanCounts


class FrontierState(StrEnum):
    """waiting: not yet asked for; in_flight: being fetched, or lost in a crash; done: not to be fetched again."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DONE = "done"


class CrawlKind(StrEnum):
    """What an address is expected to be."""

    PAGE = "page"
    SITEMAP = "sitemap"
    FEED = "feed"


FETCHED = "fetched"
REDIRECTED = "redirected"
"""Outcomes of visits that went well. All other outcomes are the words of skip reasons."""


@dataclass(frozen=True, slots=True)
class CrawlRequest:
    """An address that a crawl discovered. `depth` counts links from a start page."""

    url: str
    kind: CrawlKind = CrawlKind.PAGE
    depth: int = 0
    referrer: str | None = None


@dataclass(frozen=True, slots=True)
class FrontierRow:
    """One address of one crawl. `tries` counts how often it was claimed; `outcome` is a short stable word."""

    id: int
    source: str
    url: str
    kind: CrawlKind
    depth: int
    referrer: str | None
    state: FrontierState
    tries: int
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Says how far a crawl has come: everything that it yielded before this belongs together.

    Plain data that any process may settle (guardian.crawl.checkpoints), once everything before it is recorded; what
    a crash cuts off before that is visited again. `visited` are ids of frontier rows with what came of each.
    `is_finished`: nothing is left to visit, so that the next scan of `source` begins anew. `begins_anew`: what an
    earlier scan left is not continued, so its counts are none of this one's. `counts` are for the account of the scan.
    """

    source: str
    visited: tuple[tuple[int, str], ...] = ()
    is_finished: bool = False
    begins_anew: bool = False
    counts: ScanCounts = field(default_factory=ScanCounts)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of an address's last complete answer: its RFC 9111 validators and what was in it.

    `sha256` is the digest of its body. `extract` is what was read from it (a page's links and pictures, for example),
    so that a 304 costs no parsing. `checked_at`: when the server last confirmed it.
    """

    url: str
    etag: str | None
    last_modified: str | None
    sha256: str
    fetched_at: datetime
    checked_at: datetime
    extract: str | None = None
