"""Pages that stand before what was asked for are told from pages that have a login box or a cookie banner as well."""

from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from guardian.extract.walls import sign_of_wall

LOGIN = '<form method="post"><input name="user"><input type="password" name="word"></form>'
BANNER = "<div><p>We use cookies.</p><button>Accept all</button></div>"
STORY = "<p>" + "The harbour at dusk, seen from the old lighthouse. " * 30
NAVIGATION = "".join(f"<a href='/{name}'>{name}</a> " for name in "ABCDEFGH")


@pytest.mark.parametrize(
    ("html", "sign"),
    [
        (f"<title>Sign in</title><img src=logo.png>{LOGIN}<a href=/forgotten>Forgotten?</a>", "log in"),
        ("<title>Just a moment...</title><p>Checking your browser before accessing shop.example.", "a person asks"),
        ('<p>One more step</p><script src="https://hcaptcha.com/1/api.js"></script>', "a person asks"),
        ("<h1>Pardon Our Interruption</h1><p>Something about your browser made us think", "a person asks"),
        ("<h1>We value your privacy</h1><form><button>Accept all</button></form><a href=/privacy>Privacy</a>", "agree"),
        ("<h1>Wir brauchen Ihre Zustimmung</h1><button>Alle akzeptieren</button>", "agree"),
        ("<h1>Are you over 18?</h1><a href=/yes>Yes</a> <a href=/no>No</a>", "age"),
        ("<p>A gallery of nothing", None),
        (f"{STORY}{LOGIN}", None),
        (f"<h1>Photographs</h1>{BANNER}{NAVIGATION}<a href=/contact>Contact</a>", None),
        (f"{STORY}{BANNER}", None),
        ("<h1>Shoes</h1><p>Sizes for feet over 18 cm.", None),
    ],
)
def test_signs_of_a_wall(html: str, sign: str | None) -> None:
    found = sign_of_wall(LexborHTMLParser(f"<!doctype html><body>{html}"))
    assert found is None if sign is None else found is not None and sign in found


def test_pages_of_publishing_systems_are_no_walls() -> None:
    pages = sorted((Path(__file__).parent / "pages").glob("*.html"))
    assert pages
    assert [page.name for page in pages if sign_of_wall(LexborHTMLParser(page.read_bytes()))] == []
