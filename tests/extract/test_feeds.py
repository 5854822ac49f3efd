"""What one feed names, entry by entry. Whole crawls from feeds are tried in tests/crawl."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from guardian.errors import FetchFailed, FetchRefused
from guardian.extract.entries import ListEntries
from guardian.extract.feeds import MAX_ENTRIES, MAX_TAGS, read_feed
from guardian.model import Response, SkipReason

URL = "https://a.example/feed"


def read(content: str) -> ListEntries:
    response = Response(URL, URL, 200, (), content.encode(), datetime(2026, 1, 1, tzinfo=UTC))
    return asyncio.run(read_feed(response))


def rss(*items: str) -> str:
    entries = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{entries}</channel></rss>'


def test_an_entry_is_its_page_and_the_images_shown_there() -> None:
    found = read(
        rss(
            "<link>https://a.example/one</link><title>Sea</title>"
            "<description>&lt;img src='/1.jpg' alt='In'&gt;</description>"
            "<enclosure url='https://a.example/2.jpg' type='image/jpeg'/>"
        )
    )
    (entry,) = found.entries
    assert entry.page_url == "https://a.example/one"
    assert [(image.image_url, image.context.page_title) for image in entry.images] == [
        ("https://a.example/1.jpg", "Sea"),
        ("https://a.example/2.jpg", "Sea"),
    ]
    assert entry.images[0].context.alt == "In"


def test_an_entry_without_a_page_is_shown_by_the_feed_itself() -> None:
    found = read(
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "image": "/1.jpg"}, "x"]})
    )
    (entry,) = found.entries
    assert entry.page_url is None
    assert [image.image_url for image in entry.images] == ["https://a.example/1.jpg"]


def test_what_is_left_out_is_named() -> None:
    found = read(rss(*["<link>https://a.example/1</link><enclosure url='/x.svg' type='image/svg'/>"] * 2))
    assert [entry.images for entry in found.entries] == [(), ()]
    assert [one.reason for one in found.skipped] == [SkipReason.VECTOR, SkipReason.VECTOR]
    more = read(rss(*["<link>https://a.example/1</link>"] * (MAX_ENTRIES + 2)))
    assert len(more.entries) == MAX_ENTRIES
    assert [one.detail for one in more.skipped] == ["2 more entries in one feed"]


@pytest.mark.parametrize(
    "content", ["", "<html>", "{}", '{"version": "jsonfeed", "items": 1}', "<!ENTITY a 'b'>" + rss()]
)
def test_what_is_no_feed_is_refused(content: str) -> None:
    with pytest.raises(FetchFailed) as failed:
        read(content)
    assert failed.value.reason is SkipReason.NOT_A_FEED


def test_a_feed_of_very_many_tags_is_refused() -> None:
    with pytest.raises(FetchRefused) as refused:
        read("<a>" * (MAX_TAGS + 1))
    assert refused.value.reason is SkipReason.TOO_LARGE


def pictures(content: str) -> list[tuple[str | None, list[str | None]]]:
    return [(entry.page_url, [image.image_url for image in entry.images]) for entry in read(content).entries]


def test_pictures_of_the_whole_feed_are_shown_by_the_feed() -> None:
    channel = (
        "<link>https://a.example/</link><image><url>https://a.example/logo.jpg</url><title>x</title></image>"
        "<itunes:image href='https://a.example/cover.jpg'/>"
    )
    feed = rss("<link>https://a.example/one</link>").replace("<title>t</title>", f"<title>t</title>{channel}")
    (whole, entry) = pictures(feed)
    assert (whole[0], set(whole[1])) == (None, {"https://a.example/cover.jpg", "https://a.example/logo.jpg"})
    assert entry == ("https://a.example/one", [])
    atom = "<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><logo>/logo.png</logo></feed>"
    assert pictures(atom) == [(None, ["https://a.example/logo.png"])]


@pytest.mark.parametrize(
    "named",
    [
        "<itunes:image href='https://a.example/x.jpg'/>",
        "<image><url>https://a.example/x.jpg</url></image>",
        "<image>https://a.example/x.jpg</image>",
        "<image><![CDATA[https://a.example/x.jpg]]></image>",
        "<enclosure url='https://a.example/x.jpg' type='audio/mpeg'/>",
        "<enclosure url='/x.jpg' type='application/octet-stream'/>",
        "<g:image_link>https://a.example/x.jpg</g:image_link>",
        "<media:content url='https://a.example/x.jpg' type='video/mp4'/>",
        "<anything file='https://a.example/x.jpg'/>",
    ],
)
def test_a_picture_of_an_item_however_it_is_named(named: str) -> None:
    assert pictures(rss(f"<link>https://a.example/one?a=1&b=2</link>{named}")) == [
        ("https://a.example/one?a=1&b=2", ["https://a.example/x.jpg"])
    ]


def test_each_of_many_pictures_of_a_shops_item() -> None:
    more = "".join(f"<g:additional_image_link>https://a.example/{name}.jpg</g:additional_image_link>" for name in "bcd")
    item = f"<link>/one</link><g:image_link>https://a.example/a.jpg</g:image_link>{more}"
    assert pictures(rss(item)) == [("https://a.example/one", [f"https://a.example/{name}.jpg" for name in "abcd"])]


def test_content_of_an_atom_entry_may_be_the_picture_itself() -> None:
    entry = "<link href='/one'/><content src='/picture?id=4' type='image/jpeg'/>"
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><entry>{entry}</entry></feed>"
    assert pictures(atom) == [("https://a.example/one", ["https://a.example/picture?id=4"])]


def test_films_and_sounds_are_no_pictures() -> None:
    assert pictures(rss("<link>/one</link><enclosure url='/x.mp3' type='audio/mpeg'/>")) == [
        ("https://a.example/one", [])
    ]
