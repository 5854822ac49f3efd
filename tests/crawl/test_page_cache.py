"""An unchanged page costs its site a 304 and is seen as before; everything else is read anew."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guardian.crawl.page_cache import LONGEST, recall_page, remember_page
from guardian.crawl.sightings import sighting_of
from guardian.extract.html import HtmlReading, read_html
from guardian.model import PageCapture, PageImage, Response, Sighting, Skipped
from guardian.store import Store
from tests.websites import Conditional, Redirect, Says, Site

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
URL, MOVED = "https://a.example/", "https://a.example/home"
SHA256 = "5" * 64
PAGE = """<meta name=referrer content=origin>
<title>Cats</title><meta name=author content=Me><a href="/on">on</a><a href="/back">back</a>
<figure><img src="cat-s.jpg" srcset="cat-l.jpg 900w" alt="A cat"><figcaption>Ours</figcaption></figure>
<img src="x.svg">"""


def answer(*headers: tuple[str, str], html: str = PAGE, url: str = URL, final_url: str = URL) -> Response:
    return Response(url, final_url, 200, (("content-type", "text/html"), *headers), html.encode(), NOW)


def kept(store: Store, response: Response) -> HtmlReading:
    reading = read_html(response)
    with store.begin() as tx:
        remember_page(tx, PageCapture(response, SHA256), reading)
    return reading


def recalled(store: Store, url: str = URL, after: timedelta = timedelta(hours=1)) -> Any:
    with store.read() as tx:
        return recall_page(tx, url, NOW + after)


def test_a_page_is_recalled_as_it_was_read(store: Store) -> None:
    reading = kept(store, answer(("etag", '"one"')))
    known = recalled(store)
    again = known.reading
    assert (again.links, again.browser_sign) == (reading.links, reading.browser_sign)
    assert [one for one in again.seen if isinstance(one, Skipped)] == [
        one for one in reading.seen if isinstance(one, Skipped)
    ]
    assert again.referrer_policy == reading.referrer_policy == "origin"
    (before,) = (one for one in reading.seen if isinstance(one, PageImage))
    (image,) = (one for one in again.seen if isinstance(one, PageImage))
    later = Response(URL, URL, 304, (), b"", NOW + timedelta(hours=1), not_modified=True)
    now = sighting_of(image, "source", PageCapture(later, known.remembered.sha256))
    assert (now.image_url, now.also_at, now.context) == (before.image_url, before.also_at, before.context)
    assert now.page is not None
    assert (now.page.response, now.page.sha256) == (later, SHA256)
    assert (now.seen_at, now.page_url) == (later.fetched_at, URL)


@pytest.mark.parametrize(
    "response",
    [
        answer(),
        answer(("etag", '"one"'), ("cache-control", "no-store")),
        answer(("etag", '"one"'), html=f"<img src='data:image/png;base64,{'QUJD' * 100}'>"),
    ],
    ids=["no validator", "no-store", "a picture inside the page"],
)
def test_what_is_asked_for_whole(store: Store, response: Response) -> None:
    kept(store, answer(("etag", '"before"')))
    kept(store, response)
    assert recalled(store) is None


def test_nothing_is_taken_for_unchanged_for_ever(store: Store) -> None:
    kept(store, answer(("etag", '"one"')))
    assert recalled(store, after=LONGEST) is None
    assert recalled(store, after=timedelta(hours=-1)) is None, "a clock that was turned back"


def test_what_another_program_wrote_is_passed_over(store: Store) -> None:
    kept(store, answer(("etag", '"one"')))
    with store.begin() as tx:
        known = tx.responses.known(URL)
        assert known is not None
        for extract in ("[]", "{", '{"page": 3}', (known.extract or "").replace('"held": "', '"held": "!')):
            tx.responses.remember(known.__class__(**{**_fields(known), "extract": extract}))
            assert recall_page(tx, URL, NOW) is None


def test_a_reason_of_another_version_has_its_page_read_anew(store: Store) -> None:
    kept(store, answer(("etag", '"one"')))
    with store.begin() as tx:
        known = tx.responses.known(URL)
        assert known is not None
        notes = json.loads(known.extract or "")
        held = zlib.decompress(base64.b85decode(notes["held"]))
        assert b'"vector"' in held
        notes["held"] = base64.b85encode(zlib.compress(held.replace(b'"vector"', b'"moon"'))).decode()
        tx.responses.remember(replace(known, extract=json.dumps(notes)))
        assert recall_page(tx, URL, NOW) is None


def _fields(known: Any) -> dict[str, Any]:
    return {name: getattr(known, name) for name in known.__slots__}


def test_a_page_that_moved_is_asked_for_where_it_lies(store: Store) -> None:
    kept(store, answer(("etag", '"one"'), final_url=MOVED))
    known = recalled(store)
    assert (known.remembered.url, known.remembered.etag) == (MOVED, '"one"')


def names(seen: list[Any]) -> list[str]:
    return [one.image_url.rpartition("/")[2] for one in seen if isinstance(one, Sighting)]


def test_a_site_that_did_not_change_costs_a_304_each_page(web: Site, discovered: Callable[..., list[Any]]) -> None:
    web.put("/old", Redirect("/middle"))
    web.put("/middle", Conditional('<img src="b.jpg"><a href="/last">on</a>', '"b"'))
    web.put("/last", Says('<img src="c.jpg">'))
    start = web.put("/", Conditional('<img src="a.jpg"><a href="/old">on</a>', '"a"'))
    first = discovered(kind="site", url=start)
    count = len(web.asked)
    second = discovered(kind="site", url=start)
    assert names(first) == names(second) == ["a.jpg", "b.jpg", "c.jpg"]
    asked = {one.path: one.headers.get("if-none-match") for one in web.asked[count:]}
    assert asked == {"/robots.txt": None, "/": '"a"', "/old": None, "/middle": '"b"', "/last": None}
    web.put("/", Conditional('<img src="new.jpg">', '"new"'))
    assert names(discovered(kind="site", url=start)) == ["new.jpg"]


def test_style_sheets_of_unchanged_pages_are_still_looked_at(web: Site, discovered: Callable[..., list[Any]]) -> None:
    page = web.put("/", Conditional('<link rel=stylesheet href="/s.css"><img src="a.jpg">'))
    web.put("/s.css", Says(".a{background:url(one.jpg)}", content_type="text/css"))
    assert names(discovered(kind="page", url=page)) == ["a.jpg", "one.jpg"]
    web.put("/s.css", Says(".a{background:url(two.jpg)}", content_type="text/css"))
    assert names(discovered(kind="page", url=page)) == ["a.jpg", "two.jpg"]


def test_a_page_that_was_cut_off_is_not_remembered(store: Store) -> None:
    kept(store, replace(answer(("etag", '"one"')), incomplete="the connection ended early"))
    assert recalled(store) is None
