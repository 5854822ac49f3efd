"""Loads pages: takes an address, returns the captured page. All pages are loaded here."""

import hashlib

from guardian.fetch.bodies import Kind
from guardian.fetch.fetcher import Fetcher
from guardian.model import PageCapture, Remembered


class PageLoader:
    """Loads pages by one HTTP request each, under the policy of its fetcher.

    All later steps need only the PageCapture, so that a browser can take the place of this class one day.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def load(self, url: str, *, kind: Kind = "page", known: Remembered | None = None) -> PageCapture:
        """Return what is at an address, redirects followed; it need not be a page.

        `kind` is what is expected: it decides the Accept header and how many bytes are allowed. With `known` the
        request is conditional, and the capture may then be `is_unchanged`, with the known digest. Raises
        FetchRefused, FetchFailed.
        """
        response = await self._fetcher.get(url, kind=kind, known=known)
        if response.not_modified and known is not None:
            return PageCapture(response, known.sha256)
        return PageCapture(response, hashlib.sha256(response.content).hexdigest())
