"""What the page of results links to."""

from guardian.model import Context, SeenAddress, SeenPicture
from guardian.search.page import Shown, page_of
from guardian.search.question import By, Kind
from guardian.search.request import Request, Result, SearchAnswer
from tests.memory.made import NOW

PAGE, IMAGE = "https://shop.example/wall", "https://shop.example/files/1.png"


def _page(*addresses: tuple[str | None, str | None]) -> str:
    seen = SeenPicture("seen_1", 1, "a" * 64, 320, 240, "PNG", None, NOW, NOW)
    places = tuple(
        SeenAddress(number, "seen_1", image, page, "shop.example", "shops", Context(), NOW, NOW)
        for number, (page, image) in enumerate(addresses)
    )
    result = Result(1, Kind.SEEN, 0.5, By.AUTO, "same colours", seen=seen, addresses=places)
    return page_of(Request(), None, [Shown(result, None)], SearchAnswer((result,), {Kind.SEEN: 1}))


def test_a_picture_that_was_seen_links_to_its_page_and_to_itself() -> None:
    text = _page((PAGE, IMAGE), (f"{PAGE}/2", f"{IMAGE}?2"))
    assert f'href="{PAGE}"' in text
    assert f'<a href="{IMAGE}" rel="noreferrer">image</a>' in text
    assert f"{IMAGE}?2" not in text


def test_the_picture_is_that_of_the_page_that_is_named() -> None:
    text = _page((None, IMAGE), (PAGE, f"{IMAGE}?2"))
    assert f'href="{IMAGE}"' in text
    assert ">image</a>" not in text

    assert "inside a page" in _page((None, None))
    assert ">image</a>" not in _page((PAGE, "javascript:alert(1)"))
