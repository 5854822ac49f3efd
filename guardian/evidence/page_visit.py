"""Visits the page of a use for a capture: which requests are made, within which bounds, and what came of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from guardian.concurrency import run_all
from guardian.crawl.context import CrawlContext
from guardian.crawl.page_loader import PageLoader
from guardian.crawl.page_reader import PageReader
from guardian.errors import FetchFailed, FetchRefused
from guardian.evidence.certificates import certificate_gaps
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.recording import Exchange
from guardian.media.sniff import is_page, is_picture
from guardian.model import NotTaken, PageCapture, Referrer, Response, Sighting, SkipReason
from guardian.store import Store
from guardian.urls.addresses import canonical_url
from guardian.urls.keys import place_keys
from guardian.views.plain_text import clipped

_AT_ONCE = 6
_MOST_NAMED = 20
"""How many addresses that were left out are named one by one."""

_PASSING_REFUSALS = frozenset({SkipReason.HOST_BUSY, SkipReason.ROBOTS_UNREACHABLE, SkipReason.BUDGET})

_MOST_BESIDE = 8 * 1024**2
"""Bytes that are set aside for the exchanges that other steps of the capture make with the site."""

_ROOM_FOR_LISTS = 1024**2
"""Bytes, roughly, of exchanges.json, the certificates and the indexes, which are kept beside the exchanges."""


@dataclass(frozen=True, slots=True)
class ExchangeServices:
    """What taking exchanges needs."""

    fetcher: Fetcher
    """The one that the source of the use is visited with."""

    store: Store

    vault: Vault

    clock: Callable[[], datetime]

    max_requests: int

    for_person: bool
    """Whether somebody waits, so that robots.txt does not apply."""

    is_of_absence: bool = False
    """Whether it is to be shown that the picture is gone: its kept bytes are no part of that."""


@dataclass(slots=True)
class PageVisit:
    """One visit to a page: the requests that it makes, and what came of them."""

    subject: CaptureSubject
    services: ExchangeServices
    max_bytes: int
    exchanges: list[Exchange] = field(default_factory=list)
    page: Response | None = None
    image: Response | None = None
    pictures: list[Response] = field(default_factory=list)
    title: str = ""
    _failures: dict[str, FetchFailed | FetchRefused] = field(default_factory=dict)
    _left_out: dict[str, str] = field(default_factory=dict)
    _used: int = 0
    _used_beside: int = 0
    _pages_beside: list[str] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    @property
    def not_taken(self) -> tuple[NotTaken, ...]:
        """What was left out, the first of it by its address, and how much more there is."""
        reasons = {url: _reason_text(error) for url, error in self._failures.items()} | self._left_out
        named = [NotTaken(clipped(url, 500), reason) for url, reason in list(reasons.items())[:_MOST_NAMED]]
        if len(reasons) > _MOST_NAMED:
            named.append(NotTaken("other addresses", f"{len(reasons) - _MOST_NAMED} more were left out as well"))
        return (*certificate_gaps(self.exchanges), *named)

    @property
    def expected_bytes(self) -> int:
        """How much the exchanges will take at most when they are kept, those beside the use included."""
        heads = sum(len(one.request) for one in self.exchanges)
        return self._used + _MOST_BESIDE + 4 * heads + _ROOM_FOR_LISTS

    @property
    def replayed_urls(self) -> list[str]:
        """The pages that a viewer offers: that of the use, its picture, then the others that were asked for."""
        own = (self.subject.page_url, self.subject.image_url)
        return list(dict.fromkeys([*(url for url in own if url is not None), *self._pages_beside]))

    @property
    def refused(self) -> str | None:
        """Why guardian itself did not request the page; None when it did, or there is none."""
        error = self._failures.get(self.subject.page_url or "")
        return _reason_text(error) if isinstance(error, FetchRefused) and not self._answered(error.url) else None

    @property
    def failed(self) -> FetchFailed | None:
        """Why the page did not come though it was requested; None when it came, was refused, or there is none."""
        error = self._failures.get(self.subject.page_url or "")
        return error if isinstance(error, FetchFailed) else None

    @property
    def unreachable(self) -> str | None:
        """Why nothing answered, where trying again later may help; None when something did."""
        if any(exchange.response for exchange in self.exchanges):
            return None
        passing = [
            error
            for error in self._failures.values()
            if isinstance(error, FetchFailed) or error.reason in _PASSING_REFUSALS
        ]
        return str(passing[0]) if passing else None

    async def make(self) -> None:
        """Request the page and what it shows, then the picture, then the page's other pictures."""
        fetcher = self.services.fetcher.recording(self._note, for_person=self.services.for_person)
        shown = await self._load_page(fetcher) if self.subject.page_url is not None else []
        wanted = [one for one in shown if self._is_subject(one)]
        if self.subject.image_url is not None:
            referrer = wanted[0].referrer if wanted else self._referrer()
            addresses = [url for one in wanted for url in _addresses(one)]
            # The picture itself is asked for even when the page has used up the bounds.
            answers = [await self._get(fetcher, self.subject.image_url, referrer, is_bounded=False)]
            answers += [await self._get(fetcher, url, referrer) for url in dict.fromkeys(addresses)]
            self.image = next((one for one in answers if one is not None and is_picture(one)), None)

        await self._load_pictures(fetcher, [one for one in shown if not self._is_subject(one)])

    async def _load_page(self, fetcher: Fetcher) -> list[Sighting]:
        """Request the page and its style sheets; return the pictures that they show."""
        url = self.subject.page_url or ""
        self._asked.add(url)
        try:
            capture = await PageLoader(fetcher).load(url)
        except (FetchFailed, FetchRefused) as error:
            self._failures[url] = error
            return []

        self.page = capture.response
        if not is_page(capture.response):
            return []
        return await self._read(fetcher, capture)

    async def _read(self, fetcher: Fetcher, capture: PageCapture) -> list[Sighting]:
        context = CrawlContext(fetcher, self.services.store, self.services.clock)
        try:
            reading = await PageReader(self.subject.finding.source, context).read_capture(capture)
        except FetchRefused as error:
            self._left_out[f"what {capture.url} shows"] = error.detail
            return []
        shown = [one for one in reading.seen if isinstance(one, Sighting)]
        self.title = next((one.context.page_title for one in shown if one.context.page_title), "")
        return shown

    async def _load_pictures(self, fetcher: Fetcher, shown: Sequence[Sighting]) -> None:
        """Request the other pictures of the page at their best addresses, then at the others, within the bounds."""
        best = [(one.image_url, one.referrer) for one in shown if one.image_url is not None]
        others = [(url, one.referrer) for one in shown for url in one.also_at]
        slots = asyncio.Semaphore(_AT_ONCE)

        async def load(url: str, referrer: Referrer | None) -> Response | None:
            async with slots:
                return await self._get(fetcher, url, referrer)

        answers = await run_all(load(url, referrer) for url, referrer in dict(best + others).items())
        self.pictures = [one for one in answers if one is not None and is_picture(one)]

    async def _get(
        self, fetcher: Fetcher, url: str, referrer: Referrer | None, *, is_bounded: bool = True
    ) -> Response | None:
        """Request a picture, unless that was done or the bounds are reached; return its answer."""
        if url in self._asked or not url.startswith(("http://", "https://")):
            return None
        bound = self._bound()
        if is_bounded and bound is not None:
            self._left_out[url] = bound
            return None

        self._asked.add(url)
        try:
            return await fetcher.get(url, kind="image", referrer=referrer)
        except (FetchFailed, FetchRefused) as error:
            self._failures[url] = error
            return None

    def _answered(self, url: str) -> bool:
        """Return whether anything came from an address, such as a page that is too large."""
        return any(exchange.url == url and exchange.response for exchange in self.exchanges)

    def _bound(self) -> str | None:
        """Return which bound is reached, in words; None when there is room for another request."""
        # Requests under way count too, though they have no exchange yet.
        if max(len(self.exchanges), len(self._asked)) >= self.services.max_requests:
            return f"more than {self.services.max_requests} requests in one capture (evidence.capture.max_requests)"
        if self._used >= self.max_bytes:
            return f"{self.max_bytes} bytes are taken already (a part of evidence.capture.max_bytes)"
        return None

    def _note(self, exchange: Exchange) -> None:
        size = len(exchange.request) + len(exchange.response)
        if self._used + size > self.max_bytes:
            detail = f"its {size} bytes do not fit into this capture (a part of evidence.capture.max_bytes)"
            self._left_out[exchange.url] = detail
            return
        self._used += size
        self.exchanges.append(exchange)

    def note_beside(self, exchange: Exchange) -> None:
        """Note an exchange that another step has made, such as one with the site's imprint."""
        size = len(exchange.request) + len(exchange.response)
        if self._used_beside + size > min(_MOST_BESIDE, self.max_bytes):
            self._left_out[exchange.url] = f"its {size} bytes do not fit beside the page (at most {_MOST_BESIDE})"
            return
        self._used_beside += size
        self._pages_beside.append(exchange.url)
        self.exchanges.append(exchange)

    def _is_subject(self, sighting: Sighting) -> bool:
        """Return whether a picture of the page is the one that is captured, at one of its addresses."""
        finding = self.subject.finding
        if sighting.image_url is None:
            return False
        wanted = {place_keys(finding.page_url, url).picture for url in (finding.image_url, *finding.also_at)}
        return any(place_keys(finding.page_url, canonical_url(url)).picture in wanted for url in _addresses(sighting))

    def _referrer(self) -> Referrer | None:
        return Referrer(self.subject.page_url) if self.subject.page_url is not None else None


def _reason_text(error: FetchFailed | FetchRefused) -> str:
    """Return why an address was not fetched, and what helps."""
    text = error.detail or str(error)
    if error.reason is SkipReason.ROBOTS:
        return f"{text}; `guardian evidence capture` requests what a person asks for, as a browser would"
    return text


def _addresses(sighting: Sighting) -> list[str]:
    return [url for url in (sighting.image_url, *sighting.also_at) if url is not None]
