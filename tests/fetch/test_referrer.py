"""What sites are told of the page that shows a picture."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from guardian.errors import FetchFailed
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.referrer import referer, referring_origin
from guardian.fetch.web import WebClient
from guardian.model import Referrer, ReferrerPolicy
from tests.websites import Asked, Redirect, Says, Site, Wire, running

PAGE = "https://user:secret@shop.example/gallery?page=2#third"
WHOLE, ORIGIN = "https://shop.example/gallery?page=2", "https://shop.example/"


@pytest.fixture
def other() -> Iterator[Site]:
    yield from running()


@pytest.mark.parametrize(
    ("policy", "same_origin", "another", "insecure"),
    [
        ("strict-origin-when-cross-origin", WHOLE, ORIGIN, None),
        ("no-referrer", None, None, None),
        ("same-origin", WHOLE, None, None),
        ("origin", ORIGIN, ORIGIN, None),
        ("strict-origin", ORIGIN, ORIGIN, None),
        ("origin-when-cross-origin", WHOLE, ORIGIN, None),
        ("no-referrer-when-downgrade", WHOLE, WHOLE, None),
        ("unsafe-url", WHOLE, WHOLE, None),
    ],
)
def test_each_policy_tells_what_browsers_tell(
    policy: str, same_origin: str | None, another: str | None, insecure: str | None
) -> None:
    page = Referrer(PAGE, ReferrerPolicy(policy))
    assert referer(page, "https://shop.example:443/i.jpg") == same_origin
    assert referer(page, "https://cdn.example/i.jpg") == another
    assert referer(page, "http://shop.example/i.jpg") == insecure


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("http://shop.example/caf\u00e9", "http://shop.example/caf%C3%A9"),
        ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
        ("http://shop.example/" + "a" * 5_000, "http://shop.example/"),
        ("file:///home/me/page.html", None),
        ("urn:sha256:00", None),
        ("http:///nowhere", None),
    ],
)
def test_odd_pages_make_a_header_that_can_be_sent(page: str, told: str | None) -> None:
    target = page if told else "http://shop.example/i.jpg"
    assert referer(Referrer(page), target) == told
    assert referring_origin(None, target) is None


class _ForItsPagesOnly(Says):
    """A picture for who comes from this page; a refusal for all others."""

    def __init__(self, page: str) -> None:
        super().__init__(b"GIF89a the picture", content_type="image/gif")
        self.page = page

    def say(self, asked: Asked, wire: Wire) -> None:
        if asked.headers.get("referer", "").startswith(self.page):
            super().say(asked, wire)
        else:
            wire.answer(b"no hotlinking", "403 Forbidden")


def test_each_hop_of_a_redirect_is_told_its_own_share(site: Site, other: Site, settings: Callable[..., Any]) -> None:
    page = Referrer(f"{site.url}/gallery?page=2#third")
    url = site.put("/here", Redirect(other.put("/there", "picture")))

    async def go() -> None:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC)) as web:
            await web.get(url, kind="image", referrer=page)

    asyncio.run(go())
    told = {one.path: one.headers.get("referer") for one in (*site.asked, *other.asked) if "robots" not in one.path}
    assert told == {"/here": f"{site.url}/gallery?page=2", "/there": f"{site.url}/"}
    assert all("referer" not in one.headers for one in (*site.asked, *other.asked) if "robots" in one.path)


def test_what_was_refused_to_one_sites_page_may_be_given_to_anothers(site: Site, settings: Callable[..., Any]) -> None:
    url = site.put("/i.gif", _ForItsPagesOnly("http://friend.example/"))

    async def go() -> None:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC)) as web:
            scan = Fetcher.for_scan(web)
            for _ in range(2):
                with pytest.raises(FetchFailed):
                    await scan.get(url, kind="image", referrer=Referrer("http://thief.example/page"))
            for page in ("http://friend.example/1", "http://friend.example/2"):
                assert (await scan.get(url, kind="image", referrer=Referrer(page))).status == 200

    asyncio.run(go())
    assert len(site.paths()) == 3, "a page of the same host does not ask for what was refused"
