"""Which addresses are renditions of one picture, and which is the largest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.sources.variants import stated_width, variant_key

SAME = [
    ("https://a.example/u/cat.jpg", "https://a.example/u/cat-1024x683.jpg"),
    ("https://a.example/u/cat.jpg", "http://a.example/u/cat-scaled.jpg"),
    ("https://a.example/mug_300x300.jpg?v=1", "https://a.example/mug_1024x.jpg?v=2"),
    ("https://a.example/mug.jpg", "https://a.example/mug_600x600@2x.jpg"),
    ("https://a.example/p.jpg?w=300&q=75", "https://a.example/p.jpg?w=1200"),
    ("https://res.example/x/w_300,h_200,c_fill/p.jpg", "https://res.example/x/w_1200,c_fill/p.jpg"),
    ("https://a.example/cdn-cgi/image/width=300,quality=75/p.jpg", "https://a.example/cdn-cgi/image/width=900/p.jpg"),
    ("https://a.example/p.jpg?utm_source=x", "https://a.example/p.jpg"),
]
OTHERS = [
    ("https://a.example/cat.jpg", "https://a.example/dog.jpg"),
    ("https://a.example/file.php?id=1", "https://a.example/file.php?id=2"),
    ("https://a.example/_next/image?url=%2Fa.jpg&w=640", "https://a.example/_next/image?url=%2Fb.jpg&w=640"),
    ("https://a.example/image?v=1", "https://a.example/image?v=2"),
    ("https://a.example/cat.jpg", "https://b.example/cat.jpg"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_renditions_share_a_key(one: str, other: str) -> None:
    assert variant_key(one) == variant_key(other)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_pictures_do_not(one: str, other: str) -> None:
    assert variant_key(one) != variant_key(other)


def test_the_width_that_an_address_states() -> None:
    assert stated_width("https://a.example/u/cat-1024x683.jpg") == 1024
    assert stated_width("https://a.example/p.jpg?w=300") == 300
    assert stated_width("https://a.example/p.jpg") == float("inf"), "the original"


@given(st.text(max_size=100))
def test_any_text_has_a_key_and_a_width(text: str) -> None:
    url = "https://a.example/" + text
    assert variant_key(url) == variant_key(url)
    assert stated_width(url) > 0 or stated_width(url) == 0
