"""What one sitemap file names. Whole crawls from sitemaps are tried in tests/crawl."""

import contextlib
import gzip
import time
import zlib
from datetime import UTC, datetime

import pytest

from guardian.errors import FetchFailed
from guardian.extract.entries import ListEntries, ListEntry
from guardian.extract.sitemaps import MAX_ADDRESSES, read_sitemap
from guardian.model import PageImage, Response, SkipReason

URL = "https://a.example/maps/sitemap.xml"
IMAGES = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def read(content: str | bytes) -> ListEntries:
    body = content.encode() if isinstance(content, str) else content
    return read_sitemap(Response(URL, URL, 200, (), body, datetime(2026, 1, 1, tzinfo=UTC)))


def test_pages_with_the_images_that_are_shown_there() -> None:
    found = read(
        f"<urlset {IMAGES}><url><loc>https://a.example/one</loc>"
        "<image:image><image:loc>/1.jpg</image:loc><image:caption>Sea</image:caption></image:image></url>"
        "<url><loc>two</loc></url></urlset>"
    )
    one, two = found.entries
    assert one.page_url == "https://a.example/one"
    assert [(image.image_url, image.context.caption) for image in one.images] == [("https://a.example/1.jpg", "Sea")]
    assert two == ListEntry("https://a.example/maps/two")
    assert (found.sitemaps, found.skipped) == ((), ())


def test_an_index_names_sitemaps_and_no_pages() -> None:
    found = read("<sitemapindex><sitemap><loc>https://a.example/b.xml.gz</loc></sitemap></sitemapindex>")
    assert (found.entries, found.sitemaps) == ((), ("https://a.example/b.xml.gz",))


def test_a_text_file_and_a_packed_one() -> None:
    lines = "https://a.example/one\n\nnonsense\nhttps://a.example/two\n"
    expected = (ListEntry("https://a.example/one"), ListEntry("https://a.example/two"))
    assert read(lines).entries == read(gzip.compress(lines.encode())).entries == expected


def test_what_came_before_a_break_counts_and_the_break_is_named() -> None:
    found = read("<urlset><url><loc>https://a.example/one</loc></url><url><loc>")
    assert [entry.page_url for entry in found.entries] == ["https://a.example/one"]
    (broken,) = found.skipped
    assert broken.detail.startswith("1 entries were read, then it breaks off")


def test_more_addresses_than_the_protocol_allows_are_named() -> None:
    found = read("<urlset>" + "<url><loc>https://a.example/1</loc></url>" * (MAX_ADDRESSES + 1) + "</urlset>")
    assert len(found.entries) == MAX_ADDRESSES
    assert [one.detail for one in found.skipped] == [f"more than {MAX_ADDRESSES} addresses in one sitemap"]


@pytest.mark.parametrize("content", ["", "<html>", "<urlset", "no address", '<!DOCTYPE x [<!ENTITY y "z">]><urlset/>'])
def test_what_is_no_sitemap_is_refused(content: str) -> None:
    with pytest.raises(FetchFailed) as failed:
        read(content)
    assert failed.value.reason is SkipReason.NOT_A_SITEMAP


def test_a_film_is_shown_by_its_still() -> None:
    found = read(
        '<urlset xmlns:video="http://www.google.com/schemas/sitemap-video/1.1"><url><loc>https://a.example/film</loc>'
        "<video:video><video:thumbnail_loc>/s.jpg</video:thumbnail_loc></video:video></url></urlset>"
    )
    assert found.entries[0].images == (PageImage("https://a.example/s.jpg"),)


def pages(content: str | bytes) -> list[str | None]:
    return [entry.page_url for entry in read(content).entries]


HEAD = '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
AMPERSAND = f"{HEAD}<url><loc>/one?a=1&b=2&copy=3</loc></url></urlset>"


@pytest.mark.parametrize(
    ("content", "page"),
    [
        (AMPERSAND, "/one?a=1&b=2&copy=3"),
        (AMPERSAND.encode("utf-16"), "/one?a=1&b=2&copy=3"),
        (f"<br />Warning: x & y in /map.php on line <b>3</b>\n{HEAD}<url><loc>/one</loc></url></urlset>", "/one"),
        (f"Warning: Undefined variable\n{HEAD}<url><loc>/one</loc></url></urlset>\ndone in 3 s & a bit", "/one"),
        (f"{HEAD}<url><loc><![CDATA[/one?a=1&b=2]]></loc></url></urlset> trailing", "/one?a=1&b=2"),
        (f"{HEAD}<!-- <url><loc>/no</loc></url> --><url><loc>/one?a&b</loc></url></urlset>", "/one?a&b"),
        (f"{HEAD}<url><loc>/caf\u00e9</loc></url></urlset>".encode("latin-1"), "/caf\u00e9"),
        (f"{HEAD}<url><loc>/one\x0b\x00</loc></url></urlset>", "/one"),
        (f"{HEAD}<url><loc>/one</loc><priority>&#0;&#xFFFF;&#99999999;</priority></url></urlset>", "/one"),
        (HEAD.replace("UTF-8", "UTF-16") + "<url><loc>/one</loc></url></urlset>", "/one"),
        (HEAD.replace("UTF-8", "no-such-code") + "<url><loc>/one</loc></url></urlset>", "/one"),
        ((HEAD.replace("UTF-8", "GBK") + "<url><loc>/\u4e2d</loc></url></urlset>").encode("gbk"), "/\u4e2d"),
        (f"<!DOCTYPE urlset>{HEAD[38:]}<url><loc>/one</loc></url></urlset>", "/one"),
        ("<s:urlset xmlns:s='x'><s:url><s:loc>/one?a&b</s:loc></s:url></s:urlset>", "/one?a&b"),
        ("<urlset><url><loc>/one</lastmod></url></urlset>", "/one"),
        ("<urlset><url><loc>/one</loc><url></urlset>", "/one"),
        ("<url><loc>/one?a&b</loc></url>", "/one?a&b"),
        (gzip.compress(gzip.compress(AMPERSAND.encode())), "/one?a=1&b=2&copy=3"),
    ],
)
def test_what_search_engines_read_is_read(content: str | bytes, page: str) -> None:
    assert pages(content) == [f"https://a.example{page}"]


@pytest.mark.parametrize("declared", [IMAGES, ""])
def test_pictures_of_undeclared_prefixes_and_entities_of_html(declared: str) -> None:
    image = (
        "<image:image><image:loc>/1.jpg?a=1&b=2</image:loc><image:title>Caf&eacute; &nope;</image:title></image:image>"
    )
    found = read(f"<urlset {declared}><url><loc>/one</loc>{image}</url></urlset>")
    (picture,) = found.entries[0].images
    assert (picture.image_url, picture.context.title) == ("https://a.example/1.jpg?a=1&b=2", "Caf\u00e9 &nope;")
    assert found.skipped == ()


def test_deflate_under_the_name_of_gzip_and_a_plain_file_under_it() -> None:
    url, plain = f"{URL}.gz", b"<urlset><url><loc>/one</loc></url></urlset>"
    for packed in (plain, zlib.compress(plain), zlib.compress(plain)[2:-4]):
        response = Response(url, url, 200, (), packed, datetime(2026, 1, 1, tzinfo=UTC))
        assert [entry.page_url for entry in read_sitemap(response).entries] == ["https://a.example/one"]


def test_one_bad_entry_costs_no_other_and_is_named() -> None:
    found = read(
        "<urlset><url><loc>/1</loc></url><url><loc a=>/2</oc></url><url><lo></url><url><loc>/3</loc></url></urlset>"
    )
    assert [entry.page_url for entry in found.entries] == [f"https://a.example/{number}" for number in (1, 2, 3)]
    assert [one.detail for one in found.skipped] == ["3 entries were read, 2 of them not or only in part"]


def test_what_is_wrong_is_said_in_words() -> None:
    bomb = '<!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>/&b;</loc></url></urlset>'
    for content, words in [
        (bomb, "declares XML entities, which sitemaps do not need"),
        ("<!DOCTYPE html><html><body>a & b", "not a sitemap but <html>"),
        ("<urlset", "its XML is not well-formed at line 1, column 1"),
    ]:
        with pytest.raises(FetchFailed) as failed:
            read(content)
        assert words in failed.value.detail
        assert "(" not in failed.value.detail


@pytest.mark.parametrize("part", ["<url>", "&a", "<![CDATA[", "<!--", "<a:", "<loc"])
def test_a_hostile_file_is_read_in_one_pass(part: str) -> None:
    content = "<urlset>" + part * 200_000
    started = time.process_time()
    with contextlib.suppress(FetchFailed):
        read(content)
    assert time.process_time() - started < 3
