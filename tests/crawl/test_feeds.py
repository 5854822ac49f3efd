"""Feeds as sites write them: the pictures they carry and the pages they lead to."""

import json
from collections.abc import Callable
from html import escape
from typing import Any

import pytest

from guardian.errors import FetchFailed
from guardian.model import Sighting

RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title>
  <item><title>One</title><link>{url}/one.html</link><enclosure url="{url}/enclosed.jpg" type="image/jpeg" length="9"/>
  <enclosure url="{url}/talk.mp3" type="audio/mpeg" length="9"/>
  <media:content url="{url}/media.jpg" medium="image"/>
  <content:encoded><![CDATA[<p>Text <img src="/inside.jpg" alt="In">
  <img src="{url}/media.jpg"></p>]]></content:encoded>
  </item></channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>x</id><entry><title>One</title>
  <link href="{url}/one.html"/><content type="html">&lt;img src="{url}/inside.jpg"&gt;</content></entry></feed>"""


def names(seen: list[Any]) -> list[str]:
    return [one.image_url.rpartition("/")[2] for one in seen if isinstance(one, Sighting)]


def test_rss(site: Any, discovered: Callable[..., list[Any]]) -> None:
    page = site.page("one.html", "shown.jpg")
    (site.folder / "feed.xml").write_text(RSS.format(url=site.url))
    seen = discovered(kind="feed", url=f"{site.url}/feed.xml")
    assert names(seen) == ["inside.jpg", "media.jpg", "enclosed.jpg", "shown.jpg"]
    assert {one.page_url for one in seen} == {page}
    assert seen[0].context.alt == "In"
    assert seen[0].page.response.content.startswith(b"<?xml"), "the evidence is the feed as it came"
    assert names(discovered(kind="feed", url=f"{site.url}/feed.xml", pages=False)) == [
        "inside.jpg",
        "media.jpg",
        "enclosed.jpg",
    ]


def test_one_picture_of_an_entry_at_several_sizes(site: Any, discovered: Callable[..., list[Any]]) -> None:
    item = """<item><title>Bay</title><link>{url}/one.html</link><author>a@example.com (Ida Holm)</author>
      <description>&lt;img src="{url}/bay-150x150.jpg"&gt;</description>
      <media:content url="{url}/bay.jpg?width=140"/><media:content url="{url}/bay.jpg?width=460"/>
      <content:encoded><![CDATA[<img src="{url}/bay-1024x683.jpg" alt="The bay">]]></content:encoded></item>"""
    head, _, _ = RSS.partition("<item>")
    (site.folder / "feed.xml").write_text((head + item + "</channel></rss>").format(url=site.url))
    (seen,) = discovered(kind="feed", url=f"{site.url}/feed.xml", pages=False)
    assert seen.image_url.endswith("/bay-1024x683.jpg")
    assert len(seen.also_at) == 3
    assert (seen.context.alt, seen.context.page_title) == ("The bay", "Bay")
    assert "Ida Holm" in seen.context.claims


def test_one_picture_in_several_sizes_is_one(site: Any, discovered: Callable[..., list[Any]]) -> None:
    sizes = "".join(
        f'<media:content url="{site.url}/boat{size}.jpg" medium="image"/>' for size in ("-300x200", "", "-1024x683")
    )
    text = f'<description>&lt;img src="{site.url}/media-150x150.jpg"&gt;</description>'
    feed = RSS.format(url=site.url).replace("<enclosure", f"<media:group>{sizes}</media:group>{text}<enclosure", 1)
    (site.folder / "feed.xml").write_text(feed)
    seen = discovered(kind="feed", url=f"{site.url}/feed.xml", pages=False)
    assert names(seen) == ["inside.jpg", "media.jpg", "boat.jpg", "enclosed.jpg"]
    assert seen[2].also_at == (f"{site.url}/boat-1024x683.jpg", f"{site.url}/boat-300x200.jpg")


def test_atom(site: Any, discovered: Callable[..., list[Any]]) -> None:
    site.page("one.html", "shown.jpg")
    (site.folder / "atom.xml").write_text(ATOM.format(url=site.url))
    assert names(discovered(kind="feed", url=f"{site.url}/atom.xml")) == ["inside.jpg", "shown.jpg"]


def test_json_feed(site: Any, discovered: Callable[..., list[Any]]) -> None:
    item = {
        "id": "1", "url": "one.html", "title": "One", "image": "/cover.jpg",
        "content_html": '<img src="/inside.jpg">',
        "attachments": [{"url": "/more.jpg", "mime_type": "image/jpeg"},
                        {"url": "/talk.mp3", "mime_type": "audio/mpeg"}],
    }  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": [item, "nonsense", {"title": 7}]}
    site.page("one.html", "shown.jpg")
    (site.folder / "feed.json").write_text(json.dumps(feed))
    assert names(discovered(kind="feed", url=f"{site.url}/feed.json")) == [
        "inside.jpg",
        "cover.jpg",
        "more.jpg",
        "shown.jpg",
    ]


def test_entries_keep_what_lazy_and_responsive_pictures_are_written_in(
    site: Any, discovered: Callable[..., list[Any]]
) -> None:
    html = (
        '<img data-src="lazy.jpg" src="blank.gif"><img srcset="small.jpg 300w, large.jpg 900w">'
        '<noscript><img src="noscript.jpg"></noscript><div style="background:url(background.jpg)"></div>'
    )
    feed = f"""<rss version="2.0"><channel><title>t</title><item xml:base="{site.url}/in/"><title>One</title>
      <description>{escape(html)}</description><enclosure url="file.jpg" type="image/jpeg"/></item></channel></rss>"""
    (site.folder / "feed.xml").write_text(feed)
    seen = discovered(kind="feed", url=f"{site.url}/feed.xml", pages=False)
    assert [(one.image_url.removeprefix(site.url), len(one.also_at)) for one in seen] == [
        ("/in/lazy.jpg", 0),
        ("/in/large.jpg", 1),
        ("/in/noscript.jpg", 0),
        ("/in/background.jpg", 0),
        ("/in/file.jpg", 0),
    ]


def test_each_part_of_an_atom_entry_has_its_own_base(site: Any, discovered: Callable[..., list[Any]]) -> None:
    feed = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/atom/"><title>t</title><entry><title>One</title>
      <link href="e.html"/><content type="html" xml:base="deep/">&lt;img src="p.jpg"&gt;</content></entry></feed>"""
    (site.folder / "atom.xml").write_text(feed)
    [seen] = discovered(kind="feed", url=f"{site.url}/atom.xml", pages=False)
    assert (seen.image_url, seen.page_url) == (f"{site.url}/atom/deep/p.jpg", f"{site.url}/atom/e.html")


def test_json_feeds_with_values_of_the_wrong_kind(site: Any, discovered: Callable[..., list[Any]]) -> None:
    odd = [{"attachments": 5, "url": 7, "image": ["x"], "content_html": [1]}, {"attachments": {"a": 1}, "title": []}]
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [*odd, {"image": "/cover.jpg"}]}
    (site.folder / "feed.json").write_text(json.dumps(feed))
    assert names(discovered(kind="feed", url=f"{site.url}/feed.json", pages=False)) == ["cover.jpg"]


@pytest.mark.parametrize(
    "content",
    [
        "", "hello", "<html><body>Not found</body></html>", "{", '{"items": 3}', '{"version": "x", "items": []}',
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "b">]><rss version="2.0"><channel/></rss>',
    ],
)  # fmt: skip
def test_what_is_no_feed_fails_in_words(content: str, site: Any, discovered: Callable[..., list[Any]]) -> None:
    (site.folder / "feed.xml").write_text(content)
    with pytest.raises(FetchFailed) as failed:
        discovered(kind="feed", url=f"{site.url}/feed.xml")
    assert failed.value.reason == "not_a_feed"
