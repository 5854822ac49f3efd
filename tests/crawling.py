"""Sources are tried on a real web site on loopback, with a real database for what is still to visit."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from guardian.crawl.checkpoints import settle
from guardian.crawl.context import CrawlContext, Seen
from guardian.extract.html import read_html
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.settings import FetchSettings
from guardian.fetch.web import WebClient
from guardian.model import Checkpoint, Response
from guardian.sources.kinds import open_source
from guardian.sources.settings import SourceSettings
from guardian.store import Store
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOOPBACK = FetchSettings(
    contact="tests@example.com",
    allow_networks=(ip_network("127.0.0.0/8"),),
    delay_per_host=timedelta(),
    requests_per_host=8,
    retries=0,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = store_in(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def settings_of() -> Callable[..., Any]:
    """settings_of(kind="site", url=...): checked as the configuration checks them."""

    def make(**values: Any) -> Any:
        return TypeAdapter(SourceSettings).validate_python({"name": "source", **values})

    return make


@pytest.fixture
def discovered(store: Store, settings_of: Callable[..., Any]) -> Callable[..., list[Seen]]:
    """discovered(kind="page", url=...): what one pass yields, checkpoints settled. `stop_after`: so many items."""

    def run(stop_after: int | None = None, **values: Any) -> list[Seen]:
        async def go() -> list[Seen]:
            found: list[Seen] = []
            async with WebClient(LOOPBACK, clock=lambda: NOON) as web:
                source = open_source(settings_of(**values))
                context = CrawlContext(Fetcher.for_scan(web), store, lambda: NOON)
                async with aclosing(source.discover(context)) as items:  # type: ignore[type-var]
                    async for item in items:
                        if isinstance(item, Checkpoint):
                            with store.begin() as tx:
                                settle(tx, item)
                        else:
                            found.append(item)
                        if stop_after is not None and len(found) >= stop_after:
                            break
            return found

        return asyncio.run(go())

    return run


@pytest.fixture
def checkpoints(store: Store, settings_of: Callable[..., Any]) -> Callable[..., list[Checkpoint]]:
    """checkpoints(kind="site", url=...): the checkpoints of one pass, each settled."""

    def run(**values: Any) -> list[Checkpoint]:
        async def go() -> list[Checkpoint]:
            found: list[Checkpoint] = []
            async with WebClient(LOOPBACK, clock=lambda: NOON) as web:
                context = CrawlContext(Fetcher.for_scan(web), store, lambda: NOON)
                async for item in open_source(settings_of(**values)).discover(context):
                    if isinstance(item, Checkpoint):
                        found.append(item)
                        with store.begin() as tx:
                            settle(tx, item)
            return found

        return asyncio.run(go())

    return run


@pytest.fixture
def page() -> Callable[..., list[Any]]:
    """page(html, url=...): what one page shows, images and what was left out."""

    def read(html: str, url: str = "https://shop.example/a/page.html", **headers: str) -> list[Any]:
        named = (("content-type", "text/html; charset=utf-8"), *headers.items())
        return read_html(Response(url, url, 200, named, html.encode(), NOON)).seen

    return read
