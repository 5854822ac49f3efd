"""One scan's visits: through the Stranger that all scans share, with its source's credentials.

A picture that failed once is not asked for again.
"""

from collections import OrderedDict

from guardian.errors import FetchFailed
from guardian.fetch.credentials import Credentials
from guardian.fetch.stranger import Kind, Stranger
from guardian.model import Remembered, Response

_FAILURES_REMEMBERED = 10_000


class Errand:
    """Asks as `Stranger.get` does. A picture that is missing on every page of a site is asked for once."""

    def __init__(self, stranger: Stranger, credentials: Credentials | None = None) -> None:
        self._stranger, self._credentials = stranger, credentials
        self._failed: OrderedDict[str, FetchFailed] = OrderedDict()

    async def get(
        self, url: str, *, kind: Kind, asked_by_person: bool = False, known: Remembered | None = None
    ) -> Response:
        """As `Stranger.get`, which says what is raised."""
        before = self._failed.get(url)
        if before is not None:
            raise FetchFailed(before.reason, url, before.detail, before.status)
        try:
            return await self._stranger.get(
                url, kind=kind, asked_by_person=asked_by_person, known=known, credentials=self._credentials
            )
        except FetchFailed as error:
            if kind == "image":
                self._failed[url] = FetchFailed(error.reason, url, error.detail, error.status)
                if len(self._failed) > _FAILURES_REMEMBERED:
                    self._failed.popitem(last=False)
            raise

    async def is_forbidden(self, url: str) -> bool:
        """As `Stranger.is_forbidden`."""
        return await self._stranger.is_forbidden(url)

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """As `Stranger.sitemaps`."""
        return await self._stranger.sitemaps(url)
