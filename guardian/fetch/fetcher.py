"""Fetches for one scan or one person's check, through the WebClient that all of them share.

A Fetcher carries what holds for all its requests: who asks, with whose credentials, and what failed before. In one
scan a picture that failed or was refused is not asked for again, and neither is a host that mostly keeps silent.
"""

from collections import Counter, OrderedDict
from dataclasses import replace
from urllib.parse import urljoin

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.bodies import Kind
from guardian.fetch.credentials import Credentials
from guardian.fetch.recording import Recorder
from guardian.fetch.referrer import referring_origin
from guardian.fetch.web import AskedBy, FetchPolicy, WebClient
from guardian.model import Referrer, Remembered, Response, Retry, SkipReason
from guardian.urls.addresses import host_of, resolve_url

_FAILURES_REMEMBERED = 10_000
_TIMEOUTS_TOLERATED, _ANSWERS_FOR_ONE_MORE = 20, 20
"""How many time-outs of one host a scan tolerates, and how many answers of the host allow one time-out more."""


class Fetcher:
    """Fetches as `WebClient.get` does, under one policy. Made by `for_scan` or `for_person`."""

    def __init__(self, web: WebClient, policy: FetchPolicy) -> None:
        self._web, self._policy = web, policy
        # A person who asks twice wants to know anew.
        self._failures = None if self.asked_by_person else _Failures()

    @classmethod
    def for_scan(cls, web: WebClient, credentials: Credentials | None = None) -> "Fetcher":
        """Return a fetcher that obeys robots.txt, with the credentials of the source if it has some."""
        return cls(web, FetchPolicy(AskedBy.SCAN, credentials))

    @classmethod
    def for_person(cls, web: WebClient) -> "Fetcher":
        """Return a fetcher for a person who waits. Like a browser, it ignores robots.txt."""
        return cls(web, FetchPolicy(AskedBy.PERSON))

    def recording(self, recorder: Recorder, *, for_person: bool = False) -> "Fetcher":
        """Return a fetcher that tells `recorder` of each exchange, with the same credentials.

        A site whose certificate does not verify is recorded too, which its exchanges say; it gets no credentials.
        `for_person`: a person waits, as for `for_person`.
        """
        asked_by = AskedBy.PERSON if for_person else self._policy.asked_by
        policy = replace(self._policy, asked_by=asked_by, recorder=recorder, any_certificate=True)
        return Fetcher(self._web, policy)

    @property
    def asked_by_person(self) -> bool:
        """Whether somebody waits for just these answers, so that nothing remembered may stand in for them."""
        return self._policy.asked_by is AskedBy.PERSON

    async def get(
        self, url: str, *, kind: Kind, known: Remembered | None = None, referrer: Referrer | None = None
    ) -> Response:
        """Fetch one address. Raises as `WebClient.get` does; in a scan also FetchRefused (host_silent)."""
        if self._failures is None:
            return await self._web.get(url, kind=kind, policy=self._policy, known=known, referrer=referrer)

        # What a site refuses to the pages of one host it may give to those of another.
        request = (url, referring_origin(referrer, url))
        self._failures.check(request)
        try:
            response = await self._web.get(url, kind=kind, policy=self._policy, known=known, referrer=referrer)
        except (FetchFailed, FetchRefused) as error:
            self._failures.note(request, kind, error)
            raise
        self._failures.note_answer(url)
        return response

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the addresses of the sitemaps that a host's robots.txt names. Raises as `WebClient.sitemaps` does."""
        robots = urljoin(url, "/robots.txt")
        return tuple(resolve_url(robots, named) or named for named in await self._web.sitemaps(url))


_Request = tuple[str, str | None]
"""An address, and the origin of the page that was named with the request."""


class _Failures:
    """What failed in one scan: a picture that is missing on every page of a site is asked for once.

    A host that answers a letter at a time would else hold a scan for weeks: each such answer takes a minute or two.
    """

    def __init__(self) -> None:
        self._by_request: OrderedDict[_Request, FetchFailed | FetchRefused] = OrderedDict()
        self._timeouts: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()

    def check(self, request: _Request) -> None:
        """Raise the error that a request met before, or FetchRefused (host_silent)."""
        before = self._by_request.get(request)
        if before is not None:
            raise _again(before)

        url = request[0]
        host = host_of(url)
        tolerated = _TIMEOUTS_TOLERATED + self._answers[host] // _ANSWERS_FOR_ONE_MORE
        if self._timeouts[host] > tolerated:
            often = f"{host} did not answer in time {self._timeouts[host]} times in this scan"
            raise FetchRefused(SkipReason.HOST_SILENT, url, often)

    def note(self, request: _Request, kind: Kind, error: FetchFailed | FetchRefused) -> None:
        """Remember that an address could not be fetched."""
        if error.reason is SkipReason.TIMEOUT:
            self._timeouts[host_of(request[0])] += 1
        # A scan visits a page once, but meets the same pictures on many pages. A failure that may soon be over is not
        # remembered, so that the next page tries the picture again.
        if kind == "image" and error.reason.retry is not Retry.LATER:
            self._by_request[request] = _again(error)
            if len(self._by_request) > _FAILURES_REMEMBERED:
                self._by_request.popitem(last=False)

    def note_answer(self, url: str) -> None:
        """Remember that a host answered."""
        self._answers[host_of(url)] += 1


def _again(error: FetchFailed | FetchRefused) -> FetchFailed | FetchRefused:
    """Return the same error without the traceback that it came with, which would hold much in memory."""
    if isinstance(error, FetchFailed):
        return FetchFailed(error.reason, error.url, error.detail, error.status)
    return FetchRefused(error.reason, error.url, error.detail)
