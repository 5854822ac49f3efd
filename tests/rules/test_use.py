"""Whether a picture lies on the owner's own hosts."""

import pytest

from guardian.rules import ownership_of


@pytest.mark.parametrize(
    ("page_url", "image_url", "place"),
    [
        ("https://shop.mine.example/", "https://cdn.example/i.jpg", "own"),
        ("https://thief.example/", "https://cdn.mine.example/i.jpg", "own"),
        ("https://thief.example/", "https://cdn.example/i.jpg", "elsewhere"),
        ("https://notmine.example/", None, "elsewhere"),
        (None, "https://mine.example:8443/i.jpg", "own"),
        ("https://MINE.example./", "urn:sha256:00", "own"),
        ("http://[::1]:8000/", None, "own"),
        ("https://www.xn--strae-oqa.example/", None, "own"),
        (None, "file:///pictures/mine.example/i.jpg", "elsewhere"),
        (None, None, "elsewhere"),
    ],
)
def test_a_use_on_an_own_host_is_told_from_others(page_url: str | None, image_url: str | None, place: str) -> None:
    assert ownership_of(page_url, image_url, ("mine.example", "::1", "straße.example")) == place


@pytest.mark.parametrize(
    ("own", "host", "place"),
    [
        ("www.mine.example", "mine.example", "own"),
        ("www.mine.example", "WWW.Mine.example", "own"),
        ("mine.example", "www.mine.example", "own"),
        # A name beside www is another site, which its owner has to name.
        ("www.mine.example", "shop.mine.example", "elsewhere"),
        ("www.mine.example", "notmine.example", "elsewhere"),
        # Everybody may have a name below github.io; www.github.io is none of theirs.
        ("www.github.io", "thief.github.io", "elsewhere"),
        ("www.straße.example", "xn--strae-oqa.example", "own"),
    ],
)
def test_www_and_the_bare_name_are_one_site(own: str, host: str, place: str) -> None:
    assert ownership_of(f"https://{host}/", "https://cdn.example/i.jpg", (own,)) == place
    assert ownership_of("https://cdn.example/", f"https://{host}/i.jpg", (own,)) == place


def test_without_own_hosts_everything_is_elsewhere() -> None:
    assert ownership_of("https://mine.example/", "https://mine.example/i.jpg", ()) == "elsewhere"
