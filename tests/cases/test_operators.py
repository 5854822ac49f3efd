"""Who is behind an address."""

import pytest

from guardian.cases import operator


@pytest.mark.parametrize(
    ("page_url", "image_url", "expected"),
    [
        ("https://www.shop.example.co.uk/p", "https://cdn.other.example/i.jpg", "example.co.uk"),
        (None, "https://i.cdn.example/i.jpg", "cdn.example"),
        ("https://alice.github.io/", None, "alice.github.io"),
        ("http://203.0.113.9:8080/p", None, "203.0.113.9"),
        ("http://[2001:db8::1]:8080/p", None, "2001:db8::1"),
        ("http://0xcb.0.0x71.9/", None, "203.0.113.9"),
        ("http://localhost:8000/", None, "localhost"),
        ("file:///site/index.html", "https://cdn.example/i.jpg", "folder:src"),
        (None, "file:///a.jpg", "folder:src"),
        (None, None, "folder:src"),
    ],
)
def test_operator(page_url: str | None, image_url: str | None, expected: str) -> None:
    assert operator(page_url, image_url, "src") == expected
