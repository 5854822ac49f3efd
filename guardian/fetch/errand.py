"""One scan's visits: through the Stranger that all scans share, with its source's credentials.

A picture that failed or was refused once is not asked for again.
"""

from collections import OrderedDict

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.credentials import Credentials
from guardian.fetch.stranger import Kind, Stranger
from guardian.model import Remembered, Response

_FAILURES_REMEMBERED = 10_000
_ONLY_NOW = frozenset(["host_busy", "budget"])
"""Refusals that may be over before the next page, and that cost the site nothing."""


class Errand:
    """Asks as `Stranger.get` does. A picture that is missing on every page of a site is asked for once."""

    def __init__(self, stranger: Stranger, credentials: Credentials | None = None) -> None:
        self._stranger, self._credentials = stranger, credentials
        self._failed: OrderedDict[str, FetchFailed | FetchRefused] = OrderedDict()

    async def get(
        self, url: str, *, kind: Kind, asked_by_person: bool = False, known: Remembered | None = None
    ) -> Response:
        """As `Stranger.get`, which says what is raised."""
        before = self._failed.get(url)
        if before is not None:
            raise _again(before)
        try:
            return await self._stranger.get(
                url, kind=kind, asked_by_person=asked_by_person, known=known, credentials=self._credentials
            )
        except (FetchFailed, FetchRefused) as error:
            if kind == "image" and error.reason not in _ONLY_NOW:
                self._failed[url] = _again(error)
                if len(self._failed) > _FAILURES_REMEMBERED:
                    self._failed.popitem(last=False)
            raise

    async def is_forbidden(self, url: str) -> bool:
        """As `Stranger.is_forbidden`."""
        return await self._stranger.is_forbidden(url)

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """As `Stranger.sitemaps`."""
        return await self._stranger.sitemaps(url)


def _again(error: FetchFailed | FetchRefused) -> FetchFailed | FetchRefused:
    """The same error without the traceback that it came with, which would hold much in memory."""
    if isinstance(error, FetchFailed):
        return FetchFailed(error.reason, error.url, error.detail, error.status)
    return FetchRefused(error.reason, error.url, error.detail)
