"""One door for pages: an address in, the captured page out."""

import asyncio
import hashlib

import pytest

from guardian.crawl.page_loader import PageLoader
from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import Kind, WebClient
from guardian.model import PageCapture, Remembered, SkipReason
from tests.crawling import LOOPBACK, NOON
from tests.websites import Conditional, Redirect, Site


def loaded(url: str, *, kind: Kind = "page", known: Remembered | None = None, by_person: bool = False) -> PageCapture:
    async def go() -> PageCapture:
        async with WebClient(LOOPBACK, clock=lambda: NOON) as web:
            fetcher = Fetcher.for_person(web) if by_person else Fetcher.for_scan(web)
            return await PageLoader(fetcher).load(url, kind=kind, known=known)

    return asyncio.run(go())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_page_is_captured_where_redirects_end(web: Site) -> None:
    web.put("/home", "<p>Hello")
    page = loaded(web.put("/", Redirect("/home")))
    assert (page.url, page.final_url) == (f"{web.url}/", f"{web.url}/home")
    assert (page.response.content, page.sha256) == (b"<p>Hello", digest(b"<p>Hello"))
    assert not page.is_unchanged


def test_an_unchanged_page_is_captured_by_its_digest_alone(web: Site) -> None:
    url = web.put("/", Conditional("<p>Hello", '"one"'))
    known = Remembered(url, '"one"', None, digest(b"<p>Hello"), NOON, NOON)
    page = loaded(url, known=known)
    assert page.is_unchanged
    assert (page.response.content, page.sha256) == (b"", digest(b"<p>Hello"))


def test_a_changed_page_has_a_digest_of_its_own(web: Site) -> None:
    url = web.put("/", Conditional("<p>Good bye", '"two"'))
    page = loaded(url, known=Remembered(url, '"one"', None, digest(b"<p>Hello"), NOON, NOON))
    assert not page.is_unchanged
    assert page.sha256 == digest(b"<p>Good bye")


def test_robots_txt_stops_scans_and_not_people(web: Site) -> None:
    web.put("/robots.txt", "User-agent: *\nDisallow: /")
    url = web.put("/", "<p>Hello")
    with pytest.raises(FetchRefused) as refused:
        loaded(url)
    assert refused.value.reason is SkipReason.ROBOTS
    assert loaded(url, by_person=True).sha256 == digest(b"<p>Hello")


def test_a_film_is_no_page_and_a_page_may_come_where_an_image_was_expected(web: Site) -> None:
    film = web.put("/film", "a film", content_type="video/mp4")
    with pytest.raises(FetchRefused, match="video/mp4"):
        loaded(film)
    page = web.put("/page", "<p>Hello", content_type="text/html")
    assert loaded(page, kind="image").response.content == b"<p>Hello"


def test_what_is_missing_is_said(web: Site) -> None:
    with pytest.raises(FetchFailed, match="404"):
        loaded(f"{web.url}/gone")
