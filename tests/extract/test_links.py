"""Which links a crawl may follow."""

from datetime import UTC, datetime

import pytest

from guardian.extract.html import read_html
from guardian.extract.links import Links
from guardian.model import Response

URL = "https://shop.example/a/"


def links(html: str, **headers: str) -> Links:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return read_html(Response(URL, URL, 200, named, html.encode(), datetime(2026, 1, 1, tzinfo=UTC))).links


def test_links_are_canonical_and_each_once() -> None:
    found = links(
        '<a href="b?utm_source=x#top">b</a><a href="/a/b">b</a><area href="../c"><iframe src="d.html"></iframe>'
        '<link rel="next" href="?page=2"><link rel="stylesheet" href="s.css"><link rel="icon" href="i.ico">'
    )
    assert found.pages == (URL + "b", "https://shop.example/c", URL + "d.html", URL + "?page=2")
    assert found.sheets == (URL + "s.css",)


def test_a_page_that_sends_its_readers_on_is_followed() -> None:
    assert links("<meta http-equiv='Refresh' content='0; URL=/home'>").pages == ("https://shop.example/home",)
    assert links("<meta http-equiv=refresh content=30><meta http-equiv=x content='0;url=/y'>").pages == ()


def test_a_page_that_leads_on_by_itself_shows_that_page() -> None:
    assert links("<meta http-equiv=refresh content='0;url=/home'>").frames == ("https://shop.example/home",)
    # The next picture of a show, and a page that loads itself again, are no redirects.
    assert links("<meta http-equiv=refresh content='30;url=/next'>").frames == ()
    assert links(f"<meta http-equiv=refresh content='5;url={URL}'>").frames == ()


def test_frames_are_followed() -> None:
    assert links('<frameset><frame src="menu.html"><frame src="gallery.html"></frameset>').pages == (
        URL + "menu.html",
        URL + "gallery.html",
    )


def test_what_is_no_page_is_not_followed() -> None:
    html = "".join(
        f'<a href="{url}">x</a>'
        for url in ("x.pdf", "x.JPG", "mailto:a@b.c", "javascript:void(0)", "tel:1", "http://[")
    )
    assert links(html).pages == ()


@pytest.mark.parametrize(
    ("html", "headers"),
    [
        ('<meta name="robots" content="noindex, nofollow"><a href="b">', {}),
        ('<meta name="ROBOTS" content="none"><a href="b">', {}),
        ('<a href="b">', {"x_robots_tag": "nofollow"}),
        ('<a href="b">', {"X_Robots_Tag": "noimageindex", "x_robots_tag": "nofollow"}),
        ('<a rel="nofollow ugc" href="b">', {}),
    ],
)
def test_nofollow_is_obeyed(html: str, headers: dict[str, str]) -> None:
    assert links(html, **headers).pages == ()
