"""Loads pages: an address in, the captured page out. The one door through which pages come."""

import hashlib

from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import Kind
from guardian.model import PageCapture, Remembered


class PageLoader:
    """Loads pages by one HTTP request each, under the policy of its fetcher.

    What comes after loading works on the PageCapture alone, so that a browser may stand here one day.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def load(self, url: str, *, kind: Kind = "page", known: Remembered | None = None) -> PageCapture:
        """Return what lies at an address, redirects followed; that need not be a page.

        `kind` is what is expected: it decides what is accepted and how many bytes it may have. With `known` only
        what changed since is asked for, and the capture may then be `is_unchanged`, with the known digest.
        Raises FetchRefused, FetchFailed.
        """
        response = await self._fetcher.get(url, kind=kind, known=known)
        if response.not_modified and known is not None:
            return PageCapture(response, known.sha256)
        return PageCapture(response, hashlib.sha256(response.content).hexdigest())
