"""One scan's visits: through the Stranger that all scans share, with its source's credentials, pages counted."""

from collections import Counter

from guardian.fetch.credentials import Credentials
from guardian.fetch.stranger import Kind, Stranger
from guardian.model import Remembered, Response

_HTML = ("text/html", "application/xhtml+xml")


class Errand:
    """Asks as `Stranger.get` does. In `counts`: how many pages answered, and how many of them were unchanged."""

    def __init__(self, stranger: Stranger, counts: Counter[str], credentials: Credentials | None = None) -> None:
        self._stranger, self._counts, self._credentials = stranger, counts, credentials

    async def get(
        self, url: str, *, kind: Kind, asked_by_person: bool = False, known: Remembered | None = None
    ) -> Response:
        """As `Stranger.get`, which says what is raised."""
        response = await self._stranger.get(
            url, kind=kind, asked_by_person=asked_by_person, known=known, credentials=self._credentials
        )
        if kind == "page":
            stated = (response.header("content-type") or "").partition(";")[0].strip().lower()
            # A 304 need not repeat the type; sitemaps and feeds that say theirs are no pages.
            if stated in _HTML or not stated:
                self._counts["pages"] += 1
                if response.not_modified:
                    self._counts["pages unchanged"] += 1
        return response

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """As `Stranger.sitemaps`."""
        return await self._stranger.sitemaps(url)
