"""srcset as the HTML standard parses it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.extract.srcset import parse_srcset


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("a.jpg", ["a.jpg"]),
        ("a.jpg 1x, b.jpg 2x", ["a.jpg", "b.jpg"]),
        ("a.jpg 300w,b.jpg 600w", ["a.jpg", "b.jpg"]),
        ("a.jpg, b.jpg 2x", ["a.jpg", "b.jpg"]),
        ("https://c.example/w_300,h_200/a.jpg 300w, b.jpg 600w", ["https://c.example/w_300,h_200/a.jpg", "b.jpg"]),
        (" ,, a.jpg  2x ,", ["a.jpg"]),
        ("data:image/gif;base64,AAAA 1x, b.jpg 2x", ["data:image/gif;base64,AAAA", "b.jpg"]),
        ("a.jpg calc(1x, 2x), b.jpg", ["a.jpg", "b.jpg"]),
        ("", []),
        (",", []),
    ],
)
def test_addresses(text: str, urls: list[str]) -> None:
    assert [variant.url for variant in parse_srcset(text)] == urls


def test_the_largest_ranks_highest() -> None:
    found = parse_srcset("s.jpg 300w, l.jpg 1200w, m.jpg 600w")
    assert max(found, key=lambda one: one.rank).url == "l.jpg"
    assert max(parse_srcset("a.jpg, b.jpg 3x, c.jpg 2x"), key=lambda one: one.rank).url == "b.jpg"


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for variant in parse_srcset(text):
        assert variant.url
        assert not any(sign.isspace() and sign in " \t\n\r\f" for sign in variant.url)


NAMES = st.text("abcdefghij/._-", min_size=1, max_size=12).filter(lambda name: name.strip(","))


@given(st.lists(st.tuples(NAMES, st.integers(1, 5000)), min_size=1, max_size=8))
def test_what_was_written_is_read(parts: list[tuple[str, int]]) -> None:
    found = parse_srcset(", ".join(f"{name} {width}w" for name, width in parts))
    assert [(one.url, one.width) for one in found] == [(name, float(width)) for name, width in parts]
