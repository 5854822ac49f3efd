"""The crawl frontier (addresses still to visit), and the HTTP validators that make the next visit cheap."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FrontierState(StrEnum):
    """waiting: not yet asked for; in_flight: being fetched, or lost in a crash; done: not to be fetched again."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class CrawlRequest:
    """An address that a crawl discovered.

    `depth` counts links from a start page. `kind` says what it is expected to be (page, sitemap, image...).
    """

    url: str
    kind: str = "page"
    depth: int = 0
    referrer: str | None = None


@dataclass(frozen=True, slots=True)
class FrontierRow:
    """One address of one crawl. `tries` counts how often it was claimed; `outcome` is a short stable word."""

    id: int
    source: str
    url: str
    kind: str
    depth: int
    referrer: str | None
    state: FrontierState
    tries: int
    outcome: str | None = None


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
