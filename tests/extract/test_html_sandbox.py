"""Pages and style sheets that are written to take hours: each ends soon, read or refused."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from guardian.errors import FetchRefused
from guardian.extract.css import css_imports, css_pictures
from guardian.extract.html import HtmlReading
from guardian.extract.html_sandbox import is_simple, read_guarded
from guardian.model import PageImage, Response, Skipped

SIZE = 100_000
URL = "https://a.example/"


def response(html: str) -> Response:
    return Response(URL, URL, 200, (("content-type", "text/html"),), html.encode(), datetime(2026, 1, 1, tzinfo=UTC))


def read(html: str, patience: float = 20) -> HtmlReading:
    return asyncio.run(read_guarded(response(html), timedelta(seconds=patience)))


def many(text: str) -> str:
    return text * (SIZE // len(text))


def numbered(text: str) -> str:
    return "".join(text.format(number) for number in range(SIZE // (len(text) + 3)))


PAGES = {
    "pictures among text in one element": lambda: "<div>" + numbered("<img src={}.jpg>words "),
    "pictures in one figure": lambda: "<figure>" + numbered("<img src={}.jpg>words "),
    "one picture at very many addresses": lambda: numbered("<img src=a-100x200.jpg?w={}>"),
    "an endless address": lambda: f"<img src='{many('a/')}'>",
    "an endless srcset": lambda: f"<img srcset='{many('a.jpg 1w,')}'>",
    "pictures in one picture element": lambda: "<picture>" + many("<source srcset=a.jpg>") + many("<img src=b.jpg>"),
    "addresses that never end in a script": lambda: f"<script>{many('https://')}</script>",
    "escaped addresses that never end": lambda: f"<script>{many(chr(92).join(('https:', '/', '/a')))}</script>",
    "lists within lists of data": lambda: f'<script type="application/ld+json">{many("[")}</script>',
    "very many templates": lambda: many("<template><img src=a.jpg></template>"),
    "elements within elements": lambda: many("<div>"),
    "lists within lists": lambda: many("<ul><li>"),
    "very many attributes": lambda: f"<img {numbered('data-a{}=x.jpg ')}>",
    "very many options": lambda: f"<select>{many('<option>x')}",
}


@pytest.mark.parametrize("html", PAGES.values(), ids=PAGES)
def test_no_page_takes_long(html: Callable[[], str]) -> None:
    text, started = html(), time.monotonic()
    # On a busy machine even a process of its own may be too slow for the odd ones: then they are refused in time.
    with suppress(FetchRefused):
        assert all(isinstance(one, PageImage | Skipped) for one in read(text).seen)
    assert time.monotonic() - started < 60


SHEETS = ["url(", 'url("', "url( ", "url('url(\"", "image-set(", '"a" ', "/*", "@import", "@font-face {", "\\"]


@pytest.mark.parametrize("piece", SHEETS)
def test_no_style_sheet_takes_long(piece: str) -> None:
    started = time.process_time()
    css_pictures(many(piece))
    css_imports(many(piece))
    css_pictures("image-set(" + many(piece))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "html",
    [numbered("<p><b id={}>"), f"<base href='/{'%aa' * 900}/'>" + numbered("<img src={}.jpg>")],
    ids=["formatting that is repeated in every paragraph", "a base that makes every address long"],
)
def test_what_takes_too_long_or_too_much_is_refused(html: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        read(html, patience=3)
    assert refused.value.reason == "unreadable"


def test_an_odd_page_is_read_as_an_ordinary_one_would_be() -> None:
    shown = (
        '<title>Cats</title><figure><img src="cat.jpg" alt="A cat"><figcaption>Ours</figcaption></figure><a href=on>'
    )
    plain, odd = read(shown), read(shown + "<div>" * 10_000)
    assert not is_simple(response(shown + "<div>" * 10_000))
    assert odd.links == plain.links
    (image,) = (one for one in odd.seen if isinstance(one, PageImage))
    assert (image.image_url, image.context.alt, image.context.caption) == (f"{URL}cat.jpg", "A cat", "Ours")


@pytest.mark.parametrize(
    "html",
    [
        "<!doctype html><title>t</title>" + "<article><h2>x</h2><p>Words<img src=a.jpg></article>" * 5_000,
        "<table>" + "<tr><td>1<td>2" * 10_000,
        "<ul>" + "<li>one" * 20_000,
        "<font size=1>" * 10 + "<p>Old pages forget to close" * 2_000,
        "<div class=a>" * 60 + "<span>deep, as page builders write</span>" * 3_000,
    ],
)
def test_what_people_write_is_ordinary(html: str) -> None:
    assert is_simple(response(html))
