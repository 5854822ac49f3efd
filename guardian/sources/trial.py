"""Tries a source: what it would yield, and what it would leave out and why. Stores and matches nothing."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path

from guardian.concurrency import closed_after
from guardian.crawl.checkpoints import settle
from guardian.crawl.context import CrawlContext
from guardian.fetch.credentials import read_credentials
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.model import Checkpoint, Sighting, Skipped, SkipReason
from guardian.sources.kinds import open_source
from guardian.sources.settings import SourceSettings
from guardian.store import Store, StoreSettings, open_store

PAGES = 5
"""Pages of a crawl that are visited: a whole one would take hours where a person wants an impression."""


def shortened(settings: SourceSettings, pages: int = PAGES) -> SourceSettings:
    """Return a source that visits only so many pages; kinds that have no such limit stay as they are."""
    if "max_pages" not in type(settings).model_fields:
        return settings
    return settings.model_copy(update={"max_pages": pages})


async def tried(
    settings: SourceSettings, web: WebClient, environment: Mapping[str, str], clock: Callable[[], datetime]
) -> AsyncIterator[Sighting | Skipped]:
    """Yield each picture that a source would yield, and what it would leave out.

    `environment` holds the secrets of its credentials. Raises FetchFailed, FetchRefused when the source itself cannot
    be read. Close it (`closed_after`) when not all is read.
    """
    # A crawl keeps what it has still to visit in a database: here in one that is thrown away.
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(StoreSettings(), Path(folder))
        try:
            credentials = read_credentials(settings.credentials, environment) if settings.credentials else None
            context = CrawlContext(Fetcher.for_scan(web, credentials), store, clock)
            async with closed_after(open_source(settings).discover(context)) as found:
                async for item in found:
                    if not isinstance(item, Checkpoint):
                        yield await _as_robots_allow(item, web)
                        continue
                    await asyncio.to_thread(_settle, store, item)
        finally:
            store.close()


def _settle(store: Store, checkpoint: Checkpoint) -> None:
    with store.begin() as tx:
        settle(tx, checkpoint)


async def _as_robots_allow(item: Sighting | Skipped, web: WebClient) -> Sighting | Skipped:
    """Return the item, or why a scan would leave it out: robots.txt forbids all addresses of the picture.

    Scans learn this when they fetch the picture, which is not done here.
    """
    if isinstance(item, Skipped) or not item.image_url or item.image_url.startswith("file:"):
        return item
    for url in (item.image_url, *item.also_at):
        if not await web.is_forbidden(url):
            return item
    return Skipped(item.image_url, SkipReason.ROBOTS, "its robots.txt forbids it")
