"""Which addresses are renditions of one picture, and which is the largest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.variants import stated_width, variant_key

SAME = [
    ("https://a.example/u/cat.jpg", "https://a.example/u/cat-1024x683.jpg"),
    ("https://a.example/u/cat.jpg", "http://a.example/u/cat-scaled.jpg"),
    ("https://a.example/mug_300x300.jpg?v=1", "https://a.example/mug_1024x.jpg?v=2"),
    ("https://a.example/mug.jpg", "https://a.example/mug_600x600@2x.jpg"),
    ("https://a.example/p.jpg?w=300&q=75", "https://a.example/p.jpg?w=1200"),
    ("https://res.example/x/w_300,h_200,c_fill/p.jpg", "https://res.example/x/w_1200,c_fill/p.jpg"),
    ("https://a.example/cdn-cgi/image/width=300,quality=75/p.jpg", "https://a.example/cdn-cgi/image/width=900/p.jpg"),
    ("https://a.example/p.jpg?utm_source=x", "https://a.example/p.jpg"),
    ("https://a.example/_next/image?url=%2Fa.jpg&w=640&q=75", "https://a.example/_next/image?url=%2Fa.jpg&w=1080&q=80"),
    ("https://1.bp.blogspot.com/-a/b/s320/pic.jpg", "https://1.bp.blogspot.com/-a/b/w640-h480/pic.jpg"),
    ("https://lh3.googleusercontent.com/abc=w600-h400", "https://lh3.googleusercontent.com/abc=s0"),
    (
        "https://a.example/sites/default/files/styles/large/public/p.jpg?itok=x",
        "https://a.example/sites/default/files/p.jpg",
    ),
    ("https://m.media-amazon.com/images/I/71a._AC_SL1500_.jpg", "https://m.media-amazon.com/images/I/71a.jpg"),
    ("https://i.ebayimg.com/images/g/a/s-l500.jpg", "https://i.ebayimg.com/images/g/a/s-l1600.jpg"),
    ("https://i.pinimg.com/236x/a/b/x.jpg", "https://i.pinimg.com/originals/a/b/x.jpg"),
    ("https://miro.medium.com/v2/resize:fit:1400/1*a.jpeg", "https://miro.medium.com/max/700/1*a.jpeg"),
    (
        f"https://a.example/media/catalog/product/cache/{'0a' * 16}/p.jpg",
        "https://a.example/media/catalog/product/p.jpg",
    ),
]
OTHERS = [
    ("https://a.example/cat.jpg", "https://a.example/dog.jpg"),
    ("https://a.example/file.php?id=1", "https://a.example/file.php?id=2"),
    ("https://a.example/_next/image?url=%2Fa.jpg&w=640", "https://a.example/_next/image?url=%2Fb.jpg&w=640"),
    ("https://a.example/image?v=1", "https://a.example/image?v=2"),
    ("https://a.example/photo.php?s=1", "https://a.example/photo.php?s=2"),
    ("https://a.example/picture?album=3&size=5", "https://a.example/picture?album=3&size=6"),
    ("https://i.ebayimg.com/images/g/a/s-l500.jpg", "https://i.ebayimg.com/images/g/b/s-l500.jpg"),
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
    assert stated_width("https://i0.wp.example/p.jpg?resize=300%2C200&ssl=1") == 300
    assert stated_width("https://a.example/p.jpg?format=1500w") == 1500
    assert stated_width("https://a.example/p.jpg?format=webp&fit=crop") == float("inf")
    assert stated_width("https://1.bp.blogspot.com/-a/b/s1600/pic.jpg") == 1600
    assert stated_width("https://a.example/sites/default/files/styles/large/public/p.jpg") == 0
    assert stated_width("https://i.pinimg.com/originals/a/b/x.jpg") == float("inf")
    assert stated_width("https://a.example/p.jpg") == float("inf"), "the original"


@given(st.text(max_size=100))
def test_any_text_has_a_key_and_a_width(text: str) -> None:
    url = "https://a.example/" + text
    assert variant_key(url) == variant_key(url)
    assert stated_width(url) > 0 or stated_width(url) == 0
