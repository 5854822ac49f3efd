"""One scan's visits: through the WebClient that all scans share, with its source's credentials.

A picture that failed or was refused once is not asked for again, and neither is a host that mostly keeps silent.
"""

from collections import Counter, OrderedDict

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.credentials import Credentials
from guardian.fetch.web import Kind, WebClient
from guardian.model import Remembered, Response, Retry, SkipReason
from guardian.urls.addresses import host_of

_FAILURES_REMEMBERED = 10_000
_TIMEOUTS_TOLERATED, _ANSWERS_FOR_ONE_MORE = 20, 20
"""So many time-outs of one host are waited for in a scan, and one more for each so many answers."""


class ScanSession:
    """Asks as `WebClient.get` does. A picture that is missing on every page of a site is asked for once.

    A host that answers a letter at a time would else hold a scan for weeks: each such answer takes a minute or two.
    """

    def __init__(self, web: WebClient, credentials: Credentials | None = None) -> None:
        self._web, self._credentials = web, credentials
        self._failed: OrderedDict[str, FetchFailed | FetchRefused] = OrderedDict()
        self._timeouts: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()

    async def get(
        self, url: str, *, kind: Kind, asked_by_person: bool = False, known: Remembered | None = None
    ) -> Response:
        """As `WebClient.get`, which says what is raised; also FetchRefused (host_silent)."""
        before = self._failed.get(url)
        if before is not None:
            raise _again(before)
        self._check_host(url)
        try:
            response = await self._web.get(
                url, kind=kind, asked_by_person=asked_by_person, known=known, credentials=self._credentials
            )
            self._answers[host_of(url)] += 1
            return response
        except (FetchFailed, FetchRefused) as error:
            if error.reason is SkipReason.TIMEOUT:
                self._timeouts[host_of(url)] += 1
            if kind == "image" and error.reason.retry is not Retry.LATER:
                self._failed[url] = _again(error)
                if len(self._failed) > _FAILURES_REMEMBERED:
                    self._failed.popitem(last=False)
            raise

    def _check_host(self, url: str) -> None:
        """Raises FetchRefused (host_silent) when a host has kept this scan waiting too often."""
        host = host_of(url)
        if self._timeouts[host] > _TIMEOUTS_TOLERATED + self._answers[host] // _ANSWERS_FOR_ONE_MORE:
            often = f"{host} did not answer in time {self._timeouts[host]} times in this scan"
            raise FetchRefused(SkipReason.HOST_SILENT, url, often)

    async def is_forbidden(self, url: str) -> bool:
        """As `WebClient.is_forbidden`."""
        return await self._web.is_forbidden(url)

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """As `WebClient.sitemaps`."""
        return await self._web.sitemaps(url)


def _again(error: FetchFailed | FetchRefused) -> FetchFailed | FetchRefused:
    """The same error without the traceback that it came with, which would hold much in memory."""
    if isinstance(error, FetchFailed):
        return FetchFailed(error.reason, error.url, error.detail, error.status)
    return FetchRefused(error.reason, error.url, error.detail)
