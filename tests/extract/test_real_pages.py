"""Whole pages as publishing systems write them: every picture is found exactly once, with its words.

The pages in `pages/` were written for these tests, after the patterns of the systems they are named for.
"""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import pytest

from guardian.extract.html import HtmlReading, read_html
from guardian.extract.html_sandbox import is_simple
from guardian.model import PageImage, Response, Skipped

PAGES = Path(__file__).parent / "pages"
SOCIAL = "https://scontent.photogram.example/v/t51"
LAKE = "https://cms.example/lake.png".replace(":", "%3A").replace("/", "%2F")
# Page -> its address, and each picture in the page's order: (address, number of others, alt, caption, text beside it).
EXPECTED: dict[str, tuple[str, list[tuple[str, int, str | None, str | None, str | None]]]] = {
    "wordpress": (
        "https://blog.example/harbour/",
        [
            ("/wp-content/uploads/2024/05/harbour-scaled.jpg", 3, "Boats in the harbour",
             "The harbour before the boats leave", "The harbour before the boats leave"),
            ("/wp-content/uploads/2020/01/logo.png", 0, "Salt & Rope", None, "Harbour at dawn"),
            ("/wp-content/uploads/2024/05/nets.jpg", 1, "Nets", "Nets, drying", "Nets, drying"),
            ("/wp-content/uploads/2024/05/rope-150x150.jpg", 0, "Rope", "Old rope", "Old rope"),
            ("/wp-content/uploads/2024/05/gull-150x150.jpg", 0, "Gull", "A gull", "A gull"),
            ("/wp-content/uploads/2024/05/storm.webp", 0, None, None, None),
        ],
    ),
    "shopify": (
        "https://hearth.example/products/mug",
        [
            ("/cdn/shop/files/mug-front.jpg?v=1690000000", 4, "Mug from the front", None, None),
            ("/cdn/shop/files/mug-back_1024x1024.jpg?v=1690000001", 2, "Mug from behind", None, None),
            ("/cdn/shop/files/mug-handle_2048x.jpg?v=1690000002", 1, "The handle", None, None),
            ("/cdn/shop/files/plate_200x.jpg?v=3", 0, "Plate", None, "Enamel plate"),
        ],
    ),
    "lazysizes": (
        "https://walls.example/",
        [
            ("img/hero.avif", 1, None, None, None),
            ("img/later.jpg", 0, None, None, None),
            ("img/brick.jpg", 1, "Brick", None, None),
            ("img/stone-1600.jpg", 1, "Stone", None, None),
            ("img/plaster.jpg", 0, "Plaster", None, None),
            ("img/wood.webp", 1, "Wood", None, None),
            ("img/wood-wide.jpg", 0, "Wood", None, None),
            ("img/slate.jpg", 0, None, None, None),
            ("img/tile.jpg", 1, None, None, None),
            ("img/film.jpg", 0, None, None, None),
            ("img/one.jpg", 0, "One", None, "First of two"),
            ("img/two.jpg", 0, "Two", None, "First of two … Second of two"),
        ],
    ),
    "nextjs": (
        "https://trails.example/",
        [
            ("/_next/image?url=%2Fphotos%2Fridge.jpg&w=3840&q=75", 1, "A ridge", None, None),
            (f"/_next/image?url={LAKE}&w=1920&q=75", 1, "A lake", None, "Two days on foot"),
            ("https://cms.example/cover.jpg?w=1200&q=80", 0, None, None, None),
            ("https://cms.example/next.webp", 0, None, None, None),
        ],
    ),
    "social": (
        "https://photogram.example/p/x/",
        [
            (f"{SOCIAL}/4021_n.jpg?stp=dst-jpg_e35&_nc_cat=1&oh=AfA9", 1, None, None, None),
            (f"{SOCIAL}/4022_n.jpg?stp=dst-jpg_e35&_nc_cat=1&oh=AfA8", 0, None, None, None),
            (f"{SOCIAL}/4023_n.webp?_nc_cat=1", 0, None, None, None),
        ],
    ),
    "phpbb": (
        "https://rails.example/viewtopic.php?t=3",
        [
            ("/download/file.php?avatar=7_1600000000.jpg", 0, "User avatar", None, None),
            ("https://photos.example/yard.jpg", 0, "Image", None, "The yard is done"),
            ("/download/file.php?id=311&mode=view", 0, "turntable.jpg", None, "The turntable turntable.jpg"),
            ("/download/file.php?id=312&mode=view", 1, "signal.jpg", None, None),
            ("http://sig.example/banner.png", 0, "Image", None, None),
        ],
    ),
    "wiki": (
        "https://freepedia.example/wiki/Kingfisher",
        [
            ("https://upload.freepedia.example/commons/thumb/b/bc/Kingfisher.jpg/1200px-Kingfisher.jpg", 3,
             "A kingfisher on a branch", None, None),
            ("https://upload.freepedia.example/commons/thumb/a/a1/Nest.png/440px-Nest.png", 1, None,
             "A nest in a river bank", "A nest in a river bank"),
            ("https://upload.freepedia.example/commons/e/e0/Egg.jpg", 0, None, None, "An egg"),
        ],
    ),
    "amp": (
        "https://news.example/amp/night-market",
        [
            ("/img/lanterns.jpg", 0, None, None, None),
            ("/img/market-1200.jpg", 1, "Stalls at night", "Stalls open at nine", "Stalls open at nine"),
            ("/img/noodles.jpg", 0, "Noodles", None, None),
            ("/img/steam.gif", 0, "Steam", None, None),
            ("/img/film.jpg", 0, None, None, None),
        ],
    ),
}  # fmt: skip


def read(name: str) -> HtmlReading:
    url = EXPECTED[name][0]
    content = (PAGES / f"{name}.html").read_bytes()
    response = Response(url, url, 200, (("content-type", "text/html"),), content, datetime(2026, 1, 1, tzinfo=UTC))
    assert is_simple(response)
    return read_html(response)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_picture_once_with_its_words(name: str) -> None:
    seen = [one for one in read(name).seen if isinstance(one, PageImage)]
    url, expected = EXPECTED[name]
    assert [(one.image_url, len(one.also_at)) for one in seen] == [
        (urljoin(url, each[0]), each[1]) for each in expected
    ]
    for sighting, (_, _, alt, caption, beside) in zip(seen, expected, strict=True):
        context = sighting.context
        assert (context.alt, context.caption) == (alt, caption), sighting.image_url
        assert (context.nearby_text or "").startswith(beside or ""), sighting.image_url
        assert beside or not context.nearby_text, "words of another picture are not this one's"
        assert context.page_title


def test_no_page_is_missing() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in PAGES.iterdir())


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("wordpress", "author: Ida Holm"),
        ("wiki", "licence: https://creativecommons.org/licenses/by-sa/4.0/"),
        ("amp", "license: https://news.example/licence"),
        ("amp", "creditText: J. Roe"),
    ],
)
def test_what_a_page_claims_goes_with_its_pictures(name: str, claim: str) -> None:
    for one in read(name).seen:
        if isinstance(one, PageImage):
            assert claim in (one.context.claims or "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wordpress", {"too_small": 2}),
        ("nextjs", {"too_small": 1}),
        ("phpbb", {"too_small": 1}),
        ("wiki", {"too_small": 1, "vector": 1}),
        ("shopify", {}),
    ],
)
def test_what_is_left_out_is_named(name: str, expected: dict[str, int]) -> None:
    reasons = [one.reason for one in read(name).seen if isinstance(one, Skipped)]
    assert {reason: reasons.count(reason) for reason in reasons} == expected
