"""Which web address a person may have meant, and what is a file."""

import pytest

from guardian.urls.guessing import likely_web_address, other_scheme, path_of_file_url


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("shop.example", "https://shop.example"),
        ("shop.example/gallery?page=2", "https://shop.example/gallery?page=2"),
        ("www.shop.co.uk", "https://www.shop.co.uk"),
        ("shop.com", "https://shop.com"),
        ("shop.example:8443/x", "https://shop.example:8443/x"),
        ("127.0.0.1:8000/a.html", "http://127.0.0.1:8000/a.html"),
        ("photo.jpg", None),
        ("copy.heic", None),
        ("notes.txt", None),
        ("pictures/photo.jpg", None),
        ("./shop.example", None),
        ("../shop.example", None),
        ("~/shop.example", None),
        ("/srv/shop.example", None),
        ("two words.example", None),
        ("https://shop.example", None),
        ("photo", None),
        ("", None),
    ],
)
def test_a_host_without_its_scheme_is_recognised(text: str, meant: str | None) -> None:
    assert likely_web_address(text) == meant


@pytest.mark.parametrize(
    ("text", "scheme", "path"),
    [
        ("ftp://shop.example/a.jpg", "ftp", None),
        ("data:image/png;base64,xx", "data", None),
        ("file:///srv/a%20b.png", "file", "/srv/a b.png"),
        ("FILE://localhost/srv/a.png", "file", "/srv/a.png"),
        ("file://other.example/a.png", "file", None),
        ("C:/pictures/a.png", None, None),
        ("a:b.png", None, None),
    ],
)
def test_addresses_of_other_kinds(text: str, scheme: str | None, path: str | None) -> None:
    assert (other_scheme(text), path_of_file_url(text)) == (scheme, path)
