"""One page with its style sheets; pages that need a browser; addresses that are no pages."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from guardian.extract.grouping import MAX_PICTURES
from guardian.model import Sighting, Skipped


def names(seen: list[Any]) -> list[str]:
    return [one.image_url.rpartition("/")[2] for one in seen if isinstance(one, Sighting)]


def reasons(seen: list[Any]) -> list[tuple[str, str]]:
    return [(one.word, one.url.rpartition("/")[2]) for one in seen if isinstance(one, Skipped)]


def test_linked_style_sheets(site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "css").mkdir()
    (site.folder / "css" / "main.css").write_text(
        ".a{background:url(../hero.jpg)} .b{background:url(shown.jpg)} .c{background:url(x.svg)}"
    )
    (site.folder / "p.html").write_text(
        '<!doctype html><title>t</title><link rel="stylesheet" href="css/main.css">'
        '<link rel="stylesheet" href="gone.css">'
        '<img src="css/shown.jpg"><p>Text</p>'
    )
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert names(seen) == ["shown.jpg", "hero.jpg"]
    assert {one.page_url for one in seen if isinstance(one, Sighting)} == {f"{site.url}/p.html"}
    assert reasons(seen) == [("vector", "x.svg"), ("status_404", "gone.css")]


def test_imported_style_sheets(site: Any, discovered: Callable[..., list[Any]]) -> None:
    sheets = {
        "a.css": '@import "b.css";',
        "b.css": "@import url('c.css') screen; .b{background:url(b.jpg)}",
        "c.css": "@import url(d.css); @import url(a.css); .c{background:url(c.jpg)}",
        "d.css": ".d{background:url(d.jpg)} @font-face{src:url(x.woff)}",
        "e.css": "@import 'f.css'; .e{background:url(e.jpg)}",
    }
    for name, text in sheets.items():
        (site.folder / name).write_text(text)
    (site.folder / "p.html").write_text(
        '<title>t</title><link rel="stylesheet" href="a.css"><style>@import url("e.css?v=1;2");</style><p>Text</p>'
    )
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert names(seen) == ["e.jpg", "b.jpg", "c.jpg"]
    assert reasons(seen) == [("status_404", "f.css"), ("budget", "d.css")]


def test_pictures_inside_a_style_sheet(site: Any, discovered: Callable[..., list[Any]]) -> None:
    held = b64encode(bytes(range(256)) * 2).decode()
    icon = "url(data:image/svg+xml;utf8,%3Csvg%3E{})"
    (site.folder / "in.css").write_text(
        f".a{{background:url(data:image/png;base64,{held})}} .b{{background:{icon.format(1)},{icon.format(2)}}}"
    )
    (site.folder / "p.html").write_text('<title>t</title><link rel="stylesheet" href="in.css"><p>Text</p>')
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert [one.inline for one in seen if isinstance(one, Sighting)] == [bytes(range(256)) * 2]
    assert reasons(seen) == [("vector", "svg+xml;utf8")]


def test_style_sheets_that_style_sheets_import(site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "p.html").write_text('<!doctype html><title>t</title><style>@import "one.css";</style><p>Text</p>')
    (site.folder / "one.css").write_text("@import url('two.css'); @import 'one.css'; .a{background:url(one.jpg)}")
    (site.folder / "two.css").write_text(
        "/* @import 'no.css'; */ @import url(one.css) print; .a{background:url(two.jpg)}"
    )
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert names(seen) == ["one.jpg", "two.jpg"]
    assert reasons(seen) == []


def test_pictures_within_a_style_sheet(
    site: Any, discovered: Callable[..., list[Any]], photographs: dict[str, Any]
) -> None:
    photographs["cat"].save(site.folder / "cat.jpg")
    content = (site.folder / "cat.jpg").read_bytes()
    (site.folder / "p.html").write_text(
        '<!doctype html><title>t</title><link rel="stylesheet" href="a.css"><p>Text</p>'
    )
    inside = ("image/jpeg;base64," + b64encode(content).decode(), "image/svg+xml,<svg/>")
    (site.folder / "a.css").write_text("".join(f".a{{background:url('data:{one}')}}" for one in inside))
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert [(one.inline, one.page_url) for one in seen if isinstance(one, Sighting)] == [
        (content, f"{site.url}/p.html")
    ]
    assert [reason for reason, _ in reasons(seen)] == ["vector"]


@pytest.mark.parametrize(
    ("html", "needs"),
    [
        ('<body><div id="root"></div><script src="app.js"></script>', True),
        ('<body><noscript>You need to enable JavaScript to run this app.</noscript><script src="a.js"></script>', True),
        ("<body><app-root></app-root><script></script>", True),
        ("<body><p>An empty gallery</p>", False),
        (
            '<body><div id="root"><p>' + "Words enough to read. " * 20 + '</p></div><script src="app.js"></script>',
            False,
        ),
        ('<body><div id="root"></div><script src="app.js"></script><img src="a.jpg"><img src="b.jpg">', False),
    ],
)
def test_signs_that_a_page_needs_a_browser(
    html: str, needs: bool, site: Any, discovered: Callable[..., list[Any]]
) -> None:
    (site.folder / "p.html").write_text(f"<!doctype html><title>t</title>{html}")
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert (("needs_browser", "p.html") in reasons(seen)) is needs


@pytest.mark.parametrize(("pictures", "is_wall"), [(1, True), (5, False)])
def test_a_login_in_place_of_a_page_is_named(
    pictures: int, is_wall: bool, site: Any, discovered: Callable[..., list[Any]]
) -> None:
    shown = "".join(f"<img src={number}.jpg>" for number in range(pictures))
    (site.folder / "p.html").write_text(f"<title>t</title>{shown}<form><input type=password></form>")
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert reasons(seen) == ([("wall", "p.html")] if is_wall else [])


def test_a_picture_instead_of_a_page(
    site: Any, discovered: Callable[..., list[Any]], photographs: dict[str, Any]
) -> None:
    photographs["cat"].save(site.folder / "cat.jpg")
    (seen,) = discovered(kind="page", url=f"{site.url}/cat.jpg")
    assert (seen.image_url, seen.page_url) == (f"{site.url}/cat.jpg", None)
    assert seen.image.content == (site.folder / "cat.jpg").read_bytes()


def test_neither_page_nor_picture(site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "x.bin").write_bytes(b"\x00\x01\x02 data")
    assert reasons(discovered(kind="page", url=f"{site.url}/x.bin")) == [("not_a_page", "x.bin")]


def test_a_style_sheet_in_another_encoding(site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "wide.css").write_text('@charset "utf-16"; .a{background:url(hero.jpg)}', encoding="utf-16")
    (site.folder / "p.html").write_text('<title>t</title><link rel="stylesheet" href="wide.css"><p>Text</p>')
    assert names(discovered(kind="page", url=f"{site.url}/p.html")) == ["hero.jpg"]


def test_a_style_sheet_of_pictures_without_end(site: Any, discovered: Callable[..., list[Any]]) -> None:
    rules = "".join(f".a{number}{{background:url({number}.jpg)}}" for number in range(MAX_PICTURES + 500))
    (site.folder / "many.css").write_text(rules)
    (site.folder / "p.html").write_text('<title>t</title><link rel="stylesheet" href="many.css"><p>Text</p>')
    seen = discovered(kind="page", url=f"{site.url}/p.html")
    assert len(names(seen)) == MAX_PICTURES
    assert [one.detail for one in seen if isinstance(one, Skipped)] == ["500 more pictures in one style sheet"]


def test_a_page_without_pictures_says_so(site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "p.html").write_text('<meta http-equiv="refresh" content="0;url=/home.html">')
    [seen] = discovered(kind="page", url=f"{site.url}/p.html")
    assert (seen.reason, seen.detail) == (
        "no_pictures",
        "it shows none itself, and leads to 1 page that a depth would visit",
    )


def test_a_complex_page_is_what_its_pictures_refer_to(site: Any, discovered: Callable[..., list[Any]]) -> None:
    # So many open elements are read in a process of their own, from which the page does not travel back.
    (site.folder / "p.html").write_text("<title>Cats</title><img src=cat.jpg>" + "<div>" * 10_000)
    (seen,) = (one for one in discovered(kind="page", url=f"{site.url}/p.html") if isinstance(one, Sighting))
    assert seen.page is not None
    assert seen.page.response.content.startswith(b"<title>Cats")
    assert seen.page.sha256 == sha256(seen.page.response.content).hexdigest()
