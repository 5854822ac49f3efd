"""Takes the exact exchanges of a use: its page, the picture, and the style sheets and pictures of the page."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from guardian import __version__
from guardian.concurrency import run_all
from guardian.crawl.context import CrawlContext
from guardian.crawl.page_loader import PageLoader
from guardian.crawl.page_reader import PageReader
from guardian.durable import naming
from guardian.errors import CaptureFull, FetchFailed, FetchRefused, GuardianError
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.certificates import certificate_gaps
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.taken import Taken
from guardian.evidence.vault import Vault
from guardian.evidence.wacz import WARC_NAME, ReplayedPage, WaczFacts, write_wacz
from guardian.evidence.warc import WarcEntry, connection_json, head_of, write_warc
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.recording import Exchange
from guardian.media.sniff import is_page, is_picture, picture_type
from guardian.model import EvidenceFile, NotTaken, PageCapture, Referrer, Response, Sighting, SkipReason
from guardian.store import Store
from guardian.urls.addresses import canonical_url, without_folders
from guardian.urls.keys import place_keys
from guardian.views.plain_text import clipped
from guardian.views.timestamps import minute_text

WACZ_NAME = "page.wacz"
EXCHANGES_NAME = "exchanges.json"
CERTIFICATES_NAME = "certificates.pem"

_AT_ONCE = 6
_MOST_NAMED = 20
"""How many addresses that were left out are named one by one."""

_PASSING_REFUSALS = frozenset({SkipReason.HOST_BUSY, SkipReason.ROBOTS_UNREACHABLE, SkipReason.BUDGET})

_MOST_BESIDE = 8 * 1024**2
"""Bytes that are set aside for the exchanges that other steps of the capture make with the site."""

_ROOM_FOR_LISTS = 1024**2
"""Bytes, roughly, of exchanges.json, the certificates and the indexes, which are kept beside the exchanges."""

_SHARE_OF_ROOM = 2
"""The exchanges take at most half of the bytes that a capture may hold: the other steps need the rest."""


@dataclass(frozen=True, slots=True)
class ExchangeServices:
    """What taking exchanges needs.

    `fetcher` is the one that the source of the use is visited with. `for_person`: somebody waits, so that robots.txt
    does not apply. `is_of_absence`: it is to be shown that the picture is gone: its kept bytes are no part of that.
    """

    fetcher: Fetcher
    store: Store
    vault: Vault
    clock: Callable[[], datetime]
    max_requests: int
    for_person: bool
    is_of_absence: bool = False


@dataclass(frozen=True, slots=True)
class Exchanges:
    """What was taken, and the answers themselves for the steps that come after.

    `visit` has the exchanges, until `keep_exchanges` writes them; None where there are none. `page` and `image` are the
    answers with the page and with the picture; None where none came. `pictures` are the other pictures of the page.
    `unreachable`: why nothing of the site answered, where trying again later may help. `refused`: why guardian itself
    did not request the page, by robots.txt for example; None when it did. `failed`: why a page that was requested did
    not come, such as an answer with an error; None when it came.
    """

    taken: Taken
    page: Response | None = None
    image: Response | None = None
    pictures: tuple[Response, ...] = ()
    unreachable: str | None = None
    refused: str | None = None
    failed: FetchFailed | None = None
    visit: "_Visit | None" = None


async def take_exchanges(subject: CaptureSubject, folder: CaptureFolder, services: ExchangeServices) -> Exchanges:
    """Request what a use shows, as guardian, and record each exchange byte by byte; keep the picture.

    The exchanges are kept by `keep_exchanges`, when other steps have made theirs (`site_of`); room for them is set
    aside until then. Of what the source keeps on a disk there are no exchanges, which is said.
    """
    if subject.page_url is None and subject.image_url is None:
        return Exchanges(await asyncio.to_thread(_without_requests, subject, folder, services.vault))

    visit = _Visit(subject, services, folder.free_bytes // _SHARE_OF_ROOM)
    await visit.make()
    if services.is_of_absence and visit.image is None:
        nothing = NotTaken("picture", "no picture came from its address")
        image = Taken(not_taken=(nothing,))
    else:
        image = await asyncio.to_thread(_picture_file, subject, folder, services.vault, visit.image)
    folder.reserve(min(visit.expected_bytes, folder.free_bytes // _SHARE_OF_ROOM))
    taken = Taken(image.files, image.not_taken, image.differences)
    answers = (visit.page, visit.image, tuple(visit.pictures))
    return Exchanges(taken, *answers, visit.unreachable, visit.refused, visit.failed, visit)


def site_of(exchanges: Exchanges, fetcher: Fetcher) -> Fetcher:
    """Return a fetcher for other pages of the site, whose exchanges are kept with those of the use, within a bound."""
    return fetcher.recording(exchanges.visit.note_beside) if exchanges.visit is not None else fetcher


async def keep_exchanges(exchanges: Exchanges, folder: CaptureFolder) -> Taken:
    """Keep what was recorded: no exchange is added afterwards.

    All go into "page.wacz" with all redirects and failures, what is known of the connections into "exchanges.json", the
    certificates into "certificates.pem".
    """
    folder.reserve(0)
    visit = exchanges.visit
    if visit is None:
        return Taken()
    files, not_taken = await asyncio.to_thread(_kept, visit, folder)
    return Taken(tuple(files), (*visit.not_taken, *not_taken))


@dataclass(slots=True)
class _Visit:
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
            # Whatever the page needs, the picture itself is asked for.
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
        # Those that are under way have no exchange yet.
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


def _kept(visit: _Visit, folder: CaptureFolder) -> tuple[list[EvidenceFile], list[NotTaken]]:
    """Write the exchanges of a visit into files of the capture."""
    if not visit.exchanges:
        return [], [NotTaken(WACZ_NAME, "no request could be made")]

    # Beside the files of the capture, which these become only when they are whole.
    warc, wacz = folder.temporary_path(WARC_NAME), folder.temporary_path(WACZ_NAME)
    at = visit.services.clock()
    with naming(warc):
        entries = write_warc(warc, visit.exchanges, _warc_info(visit), at)
    pages = [_replayed(entries, url, visit) for url in visit.replayed_urls]
    title = clipped(visit.title or visit.subject.page_url or visit.subject.image_url or "", 300)
    facts = WaczFacts(title, f"guardian/{__version__}", at)
    with naming(wacz):
        write_wacz(wacz, warc, entries, [page for page in pages if page is not None], facts)

    keeps = [partial(_keep_wacz, folder, wacz, len(visit.exchanges)), partial(_keep_list, folder, visit.exchanges)]
    if any(exchange.tls for exchange in visit.exchanges):
        keeps.append(partial(_keep_certificates, folder, visit.exchanges))
    files, not_taken = [], []
    for name, keep in zip((WACZ_NAME, EXCHANGES_NAME, CERTIFICATES_NAME), keeps, strict=False):
        try:
            files.append(keep())
        except CaptureFull as error:
            not_taken.append(NotTaken(name, str(error)))
    if any(exchange.withheld for exchange in visit.exchanges):
        reason = "the values of headers by which guardian signs in, and of cookies that it was given then, are withheld"
        not_taken.append(NotTaken("credentials", reason))
    return files, not_taken


def _keep_wacz(folder: CaptureFolder, wacz: Path, number: int) -> EvidenceFile:
    about = (
        "The page, the picture, its style sheets and pictures, and the pages that name who is behind the site, as they "
        f"were sent: {number} exchanges (WACZ, WARC)."
    )
    return folder.add_file(WACZ_NAME, wacz, "application/wacz", about)


def _keep_list(folder: CaptureFolder, exchanges: Sequence[Exchange]) -> EvidenceFile:
    content = json.dumps([_exchange_json(one) for one in exchanges], indent=1).encode("ascii")
    about = "Each exchange with its headers, addresses, times, encryption and digests, to be read without a viewer."
    return folder.add(EXCHANGES_NAME, content, "application/json", about)


def _keep_certificates(folder: CaptureFolder, exchanges: Sequence[Exchange]) -> EvidenceFile:
    chains = dict.fromkeys(exchange.tls.chain for exchange in exchanges if exchange.tls is not None)
    found = dict.fromkeys(certificate for chain in chains for certificate in chain)
    content = "".join(ssl.DER_cert_to_PEM_cert(one) for one in found).encode("ascii")
    about = "The certificates by which the sites proved who they are, up to the roots that vouch for them."
    if any(exchange.tls.problem for exchange in exchanges if exchange.tls is not None):
        about = "The certificates that the sites showed; not all of them verified, which exchanges.json says of each."
    return folder.add(CERTIFICATES_NAME, content, "application/x-pem-file", about)


def _exchange_json(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as JSON values, without the body of its answer."""
    head = head_of(exchange)
    return {
        "url": exchange.url,
        "request": exchange.request.decode("latin-1"),
        "status": head.status if head else None,
        "headers": [list(field) for field in head.fields] if head else [],
        "response_bytes": len(exchange.response),
        "response_sha256": hashlib.sha256(exchange.response).hexdigest(),
    } | connection_json(exchange)


def _warc_info(visit: _Visit) -> dict[str, str]:
    agent = next((_header(one.request, "user-agent") for one in visit.exchanges if one.request), "")
    return {
        "software": f"guardian/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "http-header-user-agent": agent,
        "robots": "ignored: asked for by a person" if visit.services.for_person else "obeyed",
        "isPartOf": visit.subject.case.id,
    }


def _header(request: bytes, name: str) -> str:
    lines = (line.partition(b":") for line in request.split(b"\r\n"))
    return next((value.strip().decode("latin-1") for key, _, value in lines if key.lower() == name.encode()), "")


def _replayed(entries: Sequence[WarcEntry], url: str, visit: _Visit) -> ReplayedPage | None:
    """Return a page for the list of those that a viewer offers; None when no exchange has its address."""
    entry = next((one for one in entries if one.url == url), None)
    is_own = url in (visit.subject.page_url, visit.subject.image_url)
    title = clipped(visit.title, 300) if is_own else ""
    return None if entry is None else ReplayedPage(entry.url, entry.at, title or entry.url)


def _picture_file(subject: CaptureSubject, folder: CaptureFolder, vault: Vault, answer: Response | None) -> Taken:
    """Keep the picture itself: as it came just now, else as it was kept when the use was last seen."""
    if answer is not None:
        content, about = answer.content, "The picture as the site sent it."
    elif subject.image_sha256 is None:
        return Taken(not_taken=(NotTaken("picture", subject.finding.evidence_note or "its bytes were never kept"),))
    else:
        try:
            content = vault.get(subject.image_sha256)
        except (GuardianError, OSError) as error:
            return Taken(not_taken=(NotTaken("picture", str(error)),))
        about = f"The picture as it was when the use was last seen, {minute_text(subject.finding.last_seen_at)}."

    kind, differences = picture_type(content), tuple(_other_bytes(subject, content))
    try:
        return Taken((folder.add(f"picture.{kind.ending}", content, kind.media_type, about),), (), differences)
    except CaptureFull as error:
        return Taken((), (NotTaken("picture", str(error)),), differences)


def _other_bytes(subject: CaptureSubject, content: bytes) -> Iterator[str]:
    """Yield that the picture is not the one that was compared, if it is not."""
    if subject.image_sha256 not in (None, hashlib.sha256(content).hexdigest()):
        yield (
            "The picture came with other bytes than when the use was last seen, "
            f"{minute_text(subject.finding.last_seen_at)}. What this capture holds of a comparison and of rights "
            "metadata is about the earlier ones, but for what is said of the picture that came now."
        )


def _without_requests(subject: CaptureSubject, folder: CaptureFolder, vault: Vault) -> Taken:
    """Keep the bytes of what was not seen on the web, and say that there were no exchanges."""
    picture = _picture_file(subject, folder, vault, None)
    name = without_folders(subject.finding.image_url)
    reason = f"{name} was seen on a disk, not on the web: there is no exchange to be recorded"
    return Taken(picture.files, (*picture.not_taken, NotTaken(WACZ_NAME, reason)))


def _reason_text(error: FetchFailed | FetchRefused) -> str:
    """Return why an address was not fetched, and what helps."""
    text = error.detail or str(error)
    if error.reason is SkipReason.ROBOTS:
        return f"{text}; `guardian evidence capture` requests what a person asks for, as a browser would"
    return text


def _addresses(sighting: Sighting) -> list[str]:
    return [url for url in (sighting.image_url, *sighting.also_at) if url is not None]
