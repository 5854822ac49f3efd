"""Which addresses are renditions of one picture, and which is the largest."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.urls.renditions import picture_key, stated_width

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
    (
        f"https://a.example/media/catalog/product/cache/1/image/600x600/{'0a' * 16}/p.jpg",
        "https://a.example/media/catalog/product/p.jpg",
    ),
    ("https://a.example/p.jpg.webp", "https://a.example/p.jpg"),
    ("https://a.example/p-p-800.jpg", "https://a.example/p.jpg"),
    ("https://cdn.shopify.com/s/files/1/p_large.jpg", "https://cdn.shopify.com/s/files/1/p_300x300.progressive.jpg"),
    (
        "https://cdn11.bigcommerce.com/s-a/images/stencil/80w/products/1/2/p__1.2.jpg?c=2",
        "https://cdn11.bigcommerce.com/s-a/images/stencil/1280x1280/products/1/2/p__1.2.jpg?c=2",
    ),
    ("https://a.example/24-home_default/cup.jpg", "https://a.example/24-large_default/cup.jpg"),
    ("https://a.example/uploads/small_hall_0a1b2c3d4e.jpg", "https://a.example/uploads/hall_0a1b2c3d4e.jpg"),
    ("https://a.example/content/images/size/w600/2023/01/p.jpg", "https://a.example/content/images/2023/01/p.jpg"),
    (
        "https://a.example/uploads/default/optimized/2X/a/a1b2_2_690x460.jpeg",
        "https://a.example/uploads/default/original/2X/a/a1b2.jpeg",
    ),
    (f"https://a.example/static/{'0a' * 16}/e5610/p.jpg", f"https://a.example/static/{'0a' * 16}/a1b2c/p.jpg"),
    ("https://a.example/_ipx/w_640&f_webp/img/p.jpg", "https://a.example/img/p.jpg"),
    ("https://a.example/cdn-cgi/image/fit=cover,width=300/img/p.jpg", "https://a.example/img/p.jpg"),
    ("https://a.example/cdn-cgi/image/width=300/https://b.example/p.jpg", "https://b.example/p.jpg"),
    (
        "https://res.cloudinary.com/x/image/upload/f_auto,q_auto/v1690/d/p.jpg",
        "https://res.cloudinary.com/x/image/upload/c_fill,w_300/d/p.jpg",
    ),
    ("https://substackcdn.com/image/fetch/w_9,c_limit/https%3A%2F%2Fb.example%2Fp.jpg", "https://b.example/p.jpg"),
    ("https://ik.imagekit.io/x/tr:w-300,h-200/p.jpg", "https://ik.imagekit.io/x/p.jpg?tr=w-600"),
    (
        "https://a.storyblok.com/f/1/20x15/ab/p.jpg/m/8x0/filters:quality(80)",
        "https://a.storyblok.com/f/1/20x15/ab/p.jpg",
    ),
    ("https://t.example/unsafe/300x200/smart/filters:quality(80)/b.example/p.jpg", "https://b.example/p.jpg"),
    ("https://t.example/unsafe/300x200/smart/d/p.jpg", "https://t.example/unsafe/0x0:10x10/fit-in/900x0/d/p.jpg"),
    ("https://i0.wp.com/b.example/u/p.jpg?resize=640%2C427&ssl=1", "https://b.example/u/p.jpg"),
    ("https://a.example/proxy.php?image=https%3A%2F%2Fb.example%2Fp.jpg&hash=ab", "https://b.example/p.jpg"),
    ("https://a.example/.netlify/images?url=/p.jpg&w=400", "https://a.example/p.jpg"),
    ("https://a.example/photo-1500-aa?auto=format&w=640&q=60", "https://a.example/photo-1500-aa?w=1600&q=80&fit=crop"),
    ("https://a.example/p.jpg?x-oss-process=image/resize,w_300", "https://a.example/p.jpg"),
    (
        "https://static.wixstatic.com/media/1_a~mv2.jpg/v1/fill/w_9,h_6/x.jpg",
        "https://static.wixstatic.com/media/1_a~mv2.jpg",
    ),
    (
        "https://m.media-amazon.com/images/I/41a._AC_SX300_QL70_FMwebp_.jpg",
        "https://m.media-amazon.com/images/I/41a.jpg",
    ),
    ("https://i.ebayimg.com/thumbs/images/g/a/s-l225.webp", "https://i.ebayimg.com/images/g/a/s-l1600.jpg"),
    (
        "https://i.etsystatic.com/1/r/il/a/2/il_75x75.2_b.jpg",
        "https://i.etsystatic.com/1/r/il/a/2/il_fullxfull.2_b.jpg",
    ),
    ("https://ae01.alicdn.com/kf/Sab.jpg_220x220q75.jpg_.webp", "https://ae01.alicdn.com/kf/Sab.jpg"),
    (
        f"https://64.media.tumblr.com/{'0a' * 16}/fe98-a1/s75x75_c1/aa1.jpg",
        f"https://64.media.tumblr.com/{'0a' * 16}/fe98-a1/s2048x3072/bb2.jpg",
    ),
    ("https://live.staticflickr.com/65535/53_ab12_b.jpg", "https://live.staticflickr.com/65535/53_ff99_o.jpg"),
    ("https://preview.redd.it/abc.jpg?width=1080&crop=smart&s=0f", "https://i.redd.it/abc.jpg"),
    ("https://pbs.twimg.com/media/Fa1?format=jpg&name=small", "https://pbs.twimg.com/media/Fa1?format=jpg&name=large"),
]
OTHERS = [
    ("https://a.example/cat.jpg", "https://a.example/dog.jpg"),
    ("https://a.example/file.php?id=1", "https://a.example/file.php?id=2"),
    ("https://a.example/_next/image?url=%2Fa.jpg&w=640", "https://a.example/_next/image?url=%2Fb.jpg&w=640"),
    ("https://a.example/image?v=1", "https://a.example/image?v=2"),
    ("https://a.example/photo.php?s=1", "https://a.example/photo.php?s=2"),
    ("https://a.example/photo.php?w=1", "https://a.example/photo.php?w=2"),
    ("https://a.example/picture?album=3&size=5", "https://a.example/picture?album=3&size=6"),
    ("https://i.ebayimg.com/images/g/a/s-l500.jpg", "https://i.ebayimg.com/images/g/b/s-l500.jpg"),
    ("https://a.example/cat.jpg", "https://b.example/cat.jpg"),
    ("https://a.example/mug_small.jpg", "https://a.example/mug_large.jpg"),
    ("https://a.example/small/front.jpg", "https://a.example/large/front.jpg"),
    ("https://a.example/thumb.php?s=/u/one.jpg&w=100", "https://a.example/thumb.php?s=/u/two.jpg&w=100"),
    ("https://a.example/thumb.php?q=one&w=100", "https://a.example/thumb.php?q=two&w=100"),
    (f"https://a.example/img?s={'0a' * 16}&w=100", f"https://a.example/img?s={'0b' * 16}&w=100"),
    ("https://a.example/thumb.php?f=one&w=100", "https://a.example/thumb.php?f=two&w=100"),
    ("https://a.example/thumb.php?dir=/u/&s=one", "https://a.example/thumb.php?dir=/u/&s=two"),
    ("https://a.example/users/h_12/p.jpg", "https://a.example/users/h_13/p.jpg"),
    ("https://a.example/image/upload/my_cats/p.jpg", "https://a.example/image/upload/my_dogs/p.jpg"),
    ("https://a.example/two?a=/x.jpg&b=/y.jpg", "https://a.example/two?a=/x.jpg&b=/z.jpg"),
    (
        "https://w.example/thumb/a/ab/B.pdf/page1-250px-B.pdf.jpg",
        "https://w.example/thumb/a/ab/B.pdf/page2-250px-B.pdf.jpg",
    ),
    ("https://pbs.twimg.com/media/Fa1?name=small", "https://pbs.twimg.com/media/Fa2?name=small"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_renditions_share_a_key(one: str, other: str) -> None:
    assert picture_key(one) == picture_key(other)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_pictures_do_not(one: str, other: str) -> None:
    assert picture_key(one) != picture_key(other)


def test_the_width_that_an_address_states() -> None:
    assert stated_width("https://t.example/unsafe/300x200/smart/2024/b.example/p.jpg") == 300
    assert stated_width("https://t.example/unsafe/fit-in/-900x0/filters:quality(80)/d/p.jpg") == 900
    assert stated_width("https://a.example/u/cat-1024x683.jpg") == 1024
    assert stated_width("https://a.example/p.jpg?w=300") == 300
    assert stated_width("https://i0.wp.example/p.jpg?resize=300%2C200&ssl=1") == 300
    assert stated_width("https://a.example/p.jpg?format=1500w") == 1500
    assert stated_width("https://a.example/p.jpg?format=webp&fit=crop") == float("inf")
    assert stated_width("https://1.bp.blogspot.com/-a/b/s1600/pic.jpg") == 1600
    assert stated_width("https://a.example/sites/default/files/styles/large/public/p.jpg") == 0
    assert stated_width("https://i.pinimg.com/originals/a/b/x.jpg") == float("inf")
    assert stated_width("https://a.example/p.jpg") == float("inf"), "the original"
    assert stated_width("https://a.example/p_300x300@2x.jpg") == 600
    assert stated_width("https://a.example/p.jpg?im=Resize,width=300") == 300
    assert stated_width("https://i.etsystatic.com/1/r/il/a/2/il_fullxfull.2_b.jpg") == float("inf")
    assert stated_width("https://a.example/p.jpg.webp") < float("inf"), "made from p.jpg"
    assert stated_width("https://i0.wp.com/b.example/p.jpg") < float("inf"), "made by a proxy"
    widths = [stated_width(f"https://a.example/24-{size}_default/p.jpg") for size in ("small", "home", "large")]
    assert widths == sorted(widths)


HOSTILE = [
    "/unsafe/smart",
    "/unsafe/1x1",
    "/s/files/x_large",
    "/thumb/a/ab/x",
    "._a",
    "/http://",
    "/image/upload/w_1",
    "a-",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_no_address_takes_long(part: str) -> None:
    for host in ("a.example", "m.media-amazon.com", "i0.wp.com"):
        started = time.process_time()
        url = f"https://{host}/{part * (8_000 // len(part))}"
        assert picture_key(url)
        assert stated_width(url) >= 0
        assert time.process_time() - started < 1


@given(st.text(max_size=100))
def test_any_text_has_a_key_and_a_width(text: str) -> None:
    url = "https://a.example/" + text
    assert picture_key(url) == picture_key(url)
    assert stated_width(url) > 0 or stated_width(url) == 0
