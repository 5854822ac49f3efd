"""What one sitemap file names. Whole crawls from sitemaps are tried in tests/crawl."""

import gzip
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
