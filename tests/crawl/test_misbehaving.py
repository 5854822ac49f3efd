"""Sources on a site that misbehaves: no crawl without end, no way inside, no file that fills the memory."""

import asyncio
import gzip
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from guardian.crawl.checkpoints import settle
from guardian.crawl.context import CrawlContext, Seen
from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.model import Checkpoint, Sighting, Skipped
from guardian.sources.kinds import open_source
from guardian.store import Store
from tests import websites
from tests.crawling import LOOPBACK
from tests.websites import Redirect, Says, Site, running

XML = {"content_type": "text/xml"}


def reasons(seen: list[Any]) -> dict[str, int]:
    found = [one.word for one in seen if isinstance(one, Skipped)]
    return {reason: found.count(reason) for reason in found}


def details(seen: list[Any]) -> str:
    return " ".join(one.detail for one in seen if isinstance(one, Skipped))


@pytest.mark.parametrize(
    ("start", "trap", "most", "words"),
    [
        ("/calendar/2026-11-24", websites.CalendarTrap(), 52, ""),
        ("/here?sid=0123456789abcdef0123456789abcdef", websites.SessionTrap(), 1, ""),
        ("/deeper/", websites.DeeperTrap(), 10, "the same part more than"),
        ("/shop?x=1", websites.FacetTrap(), 210, "queries of one path"),
        ("/wheel/1", websites.WheelTrap(), 3, ""),
        ("/m/", websites.MirrorTrap(), 30, "path of more than"),
    ],
    ids=["calendar", "session ids", "deeper and deeper", "filters", "wheel", "mirror"],
)
def test_every_trap_is_left(
    start: str, trap: Says, most: int, words: str, web: Site, discovered: Callable[..., list[Seen]]
) -> None:
    web.put("*", trap)
    web.put("/robots.txt", Says("", "404 Not Found"))
    seen = discovered(kind="site", url=web.url + start, max_pages=2_000, max_depth=50)
    assert len(web.paths()) <= most
    assert words in details(seen)


def test_a_picture_of_a_trap_is_seen_once(web: Site, discovered: Callable[..., list[Seen]]) -> None:
    web.put("*", websites.SessionTrap())
    web.put("/robots.txt", Says("", "404 Not Found"))
    seen = discovered(kind="site", url=web.url + "/here")
    assert [one.image_url for one in seen if isinstance(one, Sighting)] == [web.url + "/one.jpg"]


INSIDE = ip_network("127.0.0.2/32")
"""The site of these tests lies here, and only this may be visited; what listens on 127.0.0.1 is inside."""


@pytest.fixture
def outside() -> Iterator[Site]:
    yield from running("127.0.0.2")


@pytest.fixture
def inside() -> Iterator[Site]:
    for site in running():
        site.put("*", Says("<urlset/><rss/> .a{background:url(x.jpg)}<img src='x.jpg'>"))
        yield site


@pytest.fixture
def fenced(store: Store, settings_of: Callable[..., Any]) -> Callable[..., list[Seen]]:
    """As `discovered`, with nothing allowed but 127.0.0.2."""

    def run(**values: Any) -> list[Seen]:
        async def go() -> list[Seen]:
            settings = LOOPBACK.model_copy(update={"allow_networks": (INSIDE,)})
            found: list[Seen] = []
            async with WebClient(settings, clock=lambda: datetime.now(UTC)) as web:
                source = open_source(settings_of(**values))
                context = CrawlContext(Fetcher.for_scan(web), store, lambda: datetime.now(UTC))
                async for item in source.discover(context):
                    if not isinstance(item, Checkpoint):
                        found.append(item)
                        continue
                    with store.begin() as tx:
                        settle(tx, item)
            return found

        return asyncio.run(go())

    return run


def test_no_page_sheet_sitemap_feed_or_robots_file_leads_inside(
    outside: Site, inside: Site, fenced: Callable[..., list[Seen]]
) -> None:
    outside.put(
        "/robots.txt", f"Sitemap: {inside.url}/map.xml\nSitemap: {outside.url}/map.xml\nSitemap: file:///etc/passwd"
    )
    listed = f"<sitemap><loc>{inside.url}/more.xml</loc></sitemap><sitemap><loc>{outside.url}/moved.xml</loc></sitemap>"
    outside.put("/map.xml", f"<sitemapindex>{listed}</sitemapindex>", **XML)
    outside.put("/moved.xml", Redirect(f"{inside.url}/moved.xml"))
    outside.put("/s.css", Redirect(f"{inside.url}/s.css"))
    page = f"""<link rel=stylesheet href="/s.css"><link rel=stylesheet href="{inside.url}/t.css">
      <a href="/moved">x</a><a href="{inside.url}/linked">x</a><iframe src="{inside.url}/frame"></iframe>
      <img src="a.jpg">"""
    outside.put("/moved", Redirect(f"{inside.url}/admin"))
    outside.put(
        "/feed", f"<rss version='2.0'><channel><item><link>{inside.url}/entry</link></item></channel></rss>", **XML
    )
    start = outside.put("/", page)
    assert reasons(fenced(kind="site", url=start))["address"] == 6
    assert reasons(fenced(kind="page", url=start, depth=3))["address"] == 3
    assert reasons(fenced(kind="feed", url=outside.url + "/feed")) == {"address": 1}
    for kind, path in (("sitemap", "/moved.xml"), ("feed", "/moved.xml"), ("page", "/moved")):
        with pytest.raises(FetchRefused) as refused:
            fenced(kind=kind, url=outside.url + path)
        assert refused.value.reason == "address"
    outside.put("/robots.txt", Redirect(f"{inside.url}/robots.txt"))
    with pytest.raises(FetchRefused, match="address"):
        fenced(kind="site", url=start)
    assert (inside.connections, inside.asked) == (0, [])


def utf16(text: str) -> bytes:
    return b"\xff\xfe" + text.encode("utf-16-le")


ENTITIES = f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'
LONG_COMMENT = f"<!--{' ' * 200_000}-->"
ITEMS = f"<item><title>{'&a;' * 20_000}</title></item>"
BOMBS: list[tuple[str, str, Callable[[], bytes], str]] = [
    (
        "sitemap", "elements in one entry",
        lambda: b"<urlset><url>" + b"<x/>" * 3_000_000 + b"</url></urlset>", "not_a_sitemap",
    ),
    ("sitemap", "elements within elements", lambda: b"<urlset>" + b"<x>" * 1_000_000, "not_a_sitemap"),
    ("sitemap", "entries without addresses", lambda: b"<urlset>" + b"<url/>" * 2_000_000 + b"</urlset>", ""),
    ("sitemap", "attributes", lambda: b"<urlset>" + b"<url a='1' b='2' c='3'/>" * 400_000 + b"</urlset>", ""),
    ("sitemap", "packed", lambda: gzip.compress(b"<urlset>" + b" " * 60_000_000 + b"</urlset>"), "too_large"),
    (
        "sitemap", "entities",
        lambda: f"{ENTITIES}<urlset><url><loc>{'&a;' * 20_000}</loc></url></urlset>".encode(), "not_a_sitemap",
    ),
    (
        "feed", "entities",
        lambda: f"{ENTITIES}<rss version='2.0'><channel>{ITEMS}</channel></rss>".encode(), "not_a_feed",
    ),
    (
        "feed", "entities after a long comment",
        lambda: f"{LONG_COMMENT}{ENTITIES}<rss version='2.0'><channel>{ITEMS}</channel></rss>".encode(), "not_a_feed",
    ),
    (
        "feed", "entities in another encoding",
        lambda: utf16(
            f"<?xml version='1.0' encoding='utf-16'?>{ENTITIES}<rss version='2.0'><channel>{ITEMS}</channel></rss>"
        ),
        "not_a_feed",
    ),
    (
        "feed", "lists within lists",
        lambda: b'{"version": "https://jsonfeed.org/version/1.1", "items": ' + b"[" * 200_000, "not_a_feed",
    ),
    (
        "feed", "items",
        lambda: b"<rss version='2.0'><channel>" + b"<item/>" * 300_000 + b"</channel></rss>", "too_large",
    ),
]  # fmt: skip
"""Kind, name, content and reason. Contents are made where they are sent: all processes import this file."""


@pytest.mark.parametrize(
    ("kind", "made", "reason"),
    [(kind, made, reason) for kind, _, made, reason in BOMBS],
    ids=[f"{kind}: {name}" for kind, name, _, _ in BOMBS],
)
def test_no_list_fills_the_memory_or_takes_long(
    kind: str, made: Callable[[], bytes], reason: str, web: Site, discovered: Callable[..., list[Seen]]
) -> None:
    url = web.put("/list", made(), **XML)
    before, started, said = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic(), ""
    with suppress(FetchRefused, FetchFailed):
        try:
            discovered(kind=kind, url=url)
        except (FetchRefused, FetchFailed) as error:
            said = error.skipped.word
            raise
    assert said == reason
    assert time.monotonic() - started < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a%00b.jpg", "a%00b.jpg"),
        ("a\x1b[31mb.jpg", "a%1B[31mb.jpg"),
        ("a\u202egpj.exe.jpg", "a%E2%80%AEgpj.exe.jpg"),
        ("a&#10;b.jpg", "ab.jpg"),
    ],
)
def test_names_with_control_characters_are_asked_for_as_browsers_do(
    name: str, shown: str, web: Site, discovered: Callable[..., list[Seen]]
) -> None:
    (seen,) = discovered(kind="page", url=web.put("/", f"<img src='/{name}'>"))
    assert isinstance(seen, Sighting)
    assert seen.image_url == f"{web.url}/{shown}"

    async def go() -> None:
        async with WebClient(LOOPBACK, clock=lambda: datetime.now(UTC)) as web:
            with pytest.raises(FetchFailed, match="404"):
                await web.get(seen.image_url or "", kind="image")

    asyncio.run(go())
    assert all(path.isascii() and path.isprintable() and " " not in path for path in web.paths())


def test_a_film_instead_of_a_page_is_left_before_it_is_fetched(
    web: Site, discovered: Callable[..., list[Seen]]
) -> None:
    web.put("/film", websites.EndlessFilm())
    web.put("/", '<a href="/film">x</a><img src=a.jpg>')
    started = time.monotonic()
    assert reasons(discovered(kind="site", url=web.url + "/")) == {"not_a_page": 1}
    assert time.monotonic() - started < timedelta(seconds=60).total_seconds()
