"""Sitemaps as sites write them, and as attackers do."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guardian.errors import FetchFailed
from guardian.model import Sighting, Skipped

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
URLSET = 'urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def pictures(seen: list[Any]) -> list[str]:
    return [one.image_url.rpartition("/")[2] for one in seen if isinstance(one, Sighting)]


def test_pages_pictures_index_and_gzip(site: Any, discovered: Callable[..., list[Any]]) -> None:
    a, b = site.page("a.html", "a.jpg"), site.page("b.html", "b.jpg")
    listed = f"""{HEAD}<{URLSET}><url><loc>{a}</loc><image:image><image:loc>{site.url}/extra.jpg</image:loc>
      <image:caption>Sea</image:caption></image:image></url><url><loc>https://other.example/x</loc></url></urlset>"""
    (site.folder / "one.xml").write_text(listed)
    (site.folder / "two.xml.gz").write_bytes(
        gzip.compress(f"{HEAD}<{URLSET}><url><loc>{b}</loc></url></urlset>".encode())
    )
    parts = "".join(
        f"<sitemap><loc>{site.url}/{name}</loc></sitemap>" for name in ("one.xml", "two.xml.gz", "gone.xml")
    )
    (site.folder / "index.xml").write_text(f"{HEAD}<sitemapindex>{parts}</sitemapindex>")
    seen = discovered(kind="sitemap", url=f"{site.url}/index.xml")
    assert pictures(seen) == ["extra.jpg", "a.jpg", "b.jpg"]
    assert seen[0].page_url == a
    assert seen[0].context.caption == "Sea"
    assert [(one.word, one.url) for one in seen if isinstance(one, Skipped)] == [
        ("elsewhere", f"{site.url}/one.xml"),
        ("status_404", f"{site.url}/gone.xml"),
    ]
    assert pictures(discovered(kind="sitemap", url=f"{site.url}/index.xml", pages=False)) == ["extra.jpg"]


def test_gzip_in_several_members_and_cut_off(site: Any, discovered: Callable[..., list[Any]]) -> None:
    pages = [site.page(f"{name}.html", f"{name}.jpg") for name in "abc"]
    entries = [f"<url><loc>{page}</loc></url>".encode() for page in pages]
    members = [gzip.compress(part) for part in (f"{HEAD}<{URLSET}>".encode(), *entries, b"</urlset>")]
    (site.folder / "whole.xml.gz").write_bytes(b"".join(members))
    assert pictures(discovered(kind="sitemap", url=f"{site.url}/whole.xml.gz")) == ["a.jpg", "b.jpg", "c.jpg"]
    (site.folder / "cut.xml.gz").write_bytes(b"".join(members[:3]) + members[3][:12])
    seen = discovered(kind="sitemap", url=f"{site.url}/cut.xml.gz")
    assert pictures(seen) == ["a.jpg", "b.jpg"]
    assert [one.reason for one in seen if isinstance(one, Skipped)] == ["not_a_sitemap"]


def test_pictures_that_stand_for_films(site: Any, discovered: Callable[..., list[Any]]) -> None:
    listed = (
        f"{HEAD}<{URLSET} xmlns:video='http://www.google.com/schemas/sitemap-video/1.1'><url><loc>{site.url}/film</loc>"
        f"<video:video><video:thumbnail_loc>{site.url}/still.jpg</video:thumbnail_loc><video:title>Sea</video:title>"
        f"<video:content_loc>{site.url}/film.mp4</video:content_loc></video:video></url></urlset>"
    )
    (site.folder / "one.xml").write_text(listed)
    (seen,) = discovered(kind="sitemap", url=f"{site.url}/one.xml", pages=False)
    assert (seen.image_url, seen.page_url, seen.context.title) == (f"{site.url}/still.jpg", f"{site.url}/film", "Sea")


def test_a_list_of_addresses_in_plain_text(site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "map.txt").write_text("\ufeff" + "\r\n".join([site.page("a.html", "a.jpg"), "", "nonsense"]))
    assert pictures(discovered(kind="sitemap", url=f"{site.url}/map.txt")) == ["a.jpg"]


BOMB = HEAD + '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
FILE = (
    HEAD + '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>http://a/&a;</loc></url></urlset>'
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"<html><body>Not found</body></html>",
        b"<urlset><url>",
        b"\x1f\x8bnot gzip",
        BOMB.encode(),
        FILE.encode(),
    ],
    ids=["empty", "text", "page", "torn", "gzip", "bomb", "file"],
)
def test_what_is_no_sitemap_fails_in_words(content: bytes, site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "map.xml").write_bytes(content)
    with pytest.raises(FetchFailed) as failed:
        discovered(kind="sitemap", url=f"{site.url}/map.xml")
    assert failed.value.reason == "not_a_sitemap"


def test_a_sitemap_that_names_itself_ends(site: Any, discovered: Callable[..., list[Any]], tmp_path: Path) -> None:
    (site.folder / "me.xml").write_text(f"<sitemapindex><sitemap><loc>{site.url}/me.xml</loc></sitemap></sitemapindex>")
    assert discovered(kind="sitemap", url=f"{site.url}/me.xml") == []
    assert site.requests.count("/me.xml") == 1


@pytest.mark.parametrize(
    ("before", "after", "encoding", "reasons"),
    [
        ("\n\n", "</urlset>", "utf-8", []),
        ("\ufeff\n", "</urlset>", "utf-8", []),
        ("", "</urlset>", "utf-16", []),
        ("", "<url><loc>http://a/?b=1&c=2</loc></url></urlset>", "utf-8", ["elsewhere"]),
        ("", "<url><loc>http://", "utf-8", ["not_a_sitemap"]),
    ],
    ids=["blank lines", "mark and blank line", "UTF-16", "bare ampersand", "torn"],
)
def test_careless_sitemaps_are_read_as_far_as_they_go(
    before: str, after: str, encoding: str, reasons: list[str], site: Any, discovered: Callable[..., list[Any]]
) -> None:
    site.page("a.html", "a.jpg")
    site.page("b.html", "b.jpg")
    listed = f"<{URLSET}><url><loc> /a.html </loc></url><url><loc>b.html</loc></url>"
    written = before + HEAD.replace("UTF-8", encoding) + listed + after
    (site.folder / "map.xml").write_text(written, encoding=encoding)
    seen = discovered(kind="sitemap", url=f"{site.url}/map.xml")
    assert pictures(seen) == ["a.jpg", "b.jpg"]
    assert [one.reason for one in seen if isinstance(one, Skipped)] == reasons


def test_a_feed_named_as_a_sitemap_and_the_other_way_round(site: Any, discovered: Callable[..., list[Any]]) -> None:
    page = site.page("a.html", "a.jpg")
    rss = f"<rss version='2.0'><channel><title>t</title><item><link>{page}</link></item></channel></rss>"
    (site.folder / "feed.xml").write_text(rss)
    (site.folder / "feed.xml.gz").write_bytes(gzip.compress(rss.encode()))
    (site.folder / "map.xml").write_text(f"<{URLSET}><url><loc>{page}</loc></url></urlset>")
    for kind, name in [
        ("sitemap", "feed.xml"),
        ("sitemap", "feed.xml.gz"),
        ("feed", "feed.xml.gz"),
        ("feed", "map.xml"),
    ]:
        assert pictures(discovered(kind=kind, url=f"{site.url}/{name}")) == ["a.jpg"]
