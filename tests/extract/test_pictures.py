"""Every picture of a page, once, with all its addresses: pages as publishing systems write them."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.extract.grouping import MAX_PICTURES
from guardian.extract.html import read_html
from guardian.model import PageImage, Response, Skipped
from tests.crawling import NOON

HERE = "https://shop.example/a/"
PIXEL = base64.b64encode(b"GIF89a" + bytes(20)).decode()


def pictures(seen: list[Any]) -> dict[str | None, tuple[str, ...]]:
    return {one.image_url: one.also_at for one in seen if isinstance(one, PageImage)}


def left_out(seen: list[Any]) -> dict[str, str]:
    return {one.url: one.reason for one in seen if isinstance(one, Skipped)}


@pytest.mark.parametrize(
    ("html", "url"),
    [
        ('<img src="p.jpg">', "p.jpg"),
        ('<img data-src="p.jpg" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "p.jpg"),
        ('<img data-original="p.jpg" src="spinner.gif">', "p.jpg"),
        ('<img data-lazy-src="p.jpg">', "p.jpg"),
        ('<img srcset="p.jpg 2x">', "p.jpg"),
        ('<picture><source srcset="p.jpg 1200w"><img></picture>', "p.jpg"),
        ('<noscript><img src="p.jpg"></noscript>', "p.jpg"),
        ('<div style="background:url(p.jpg)"></div>', "p.jpg"),
        ("<style>.hero{background-image:url('p.jpg')}</style>", "p.jpg"),
        ('<style>.a{background:image-set("p.jpg" 1x)}</style>', "p.jpg"),
        ('<meta property="og:image" content="p.jpg">', "p.jpg"),
        ('<meta name="twitter:image" content="p.jpg">', "p.jpg"),
        ('<link rel="image_src" href="p.jpg">', "p.jpg"),
        ('<link rel="preload" as="image" href="p.jpg">', "p.jpg"),
        ('<video poster="p.jpg"></video>', "p.jpg"),
        ('<a href="p.jpg">large</a>', "p.jpg"),
        ('<svg><image href="p.jpg"/></svg>', "p.jpg"),
        ('<svg><image xlink:href="p.jpg"/></svg>', "p.jpg"),
        ('<input type="image" src="p.jpg">', "p.jpg"),
        ('<table background="p.jpg"></table>', "p.jpg"),
        ('<div data-bg="p.jpg"></div>', "p.jpg"),
        ('<script type="application/ld+json">{"@type":"Product","image":["p.jpg"]}</script>', "p.jpg"),
        ('<template><img src="p.jpg"></template>', "p.jpg"),
        ('<amp-img src="p.jpg" width="600" height="400"></amp-img>', "p.jpg"),
        ('<object data="p.jpg"></object>', "p.jpg"),
        ('<link itemprop="image" href="p.jpg">', "p.jpg"),
        ("<style>.a{background:url(p\\2e jpg)}</style>", "p.jpg"),
        ('<img src="\\a\\p.jpg">', "p.jpg"),
        ('<base href="data:text/html,x"><img src="p.jpg">', "p.jpg"),
        ('<template><template><img src="p.jpg"></template></template>', "p.jpg"),
        ('<img data-lazyload="picture" src="blank.gif">', "picture"),
        ('<img data-lazy=\'{"src": "/a/p.jpg"}\' src="blank.gif">', "p.jpg"),
        ('<form data-variants=\'[{"image":{"src":"https:\\/\\/shop.example\\/a\\/p.jpg"}}]\'></form>', "p.jpg"),
        ("<div data-gallery='[\"/a/p.jpg\"]'></div>", "p.jpg"),
        ('<div data-thumb="/a/p.jpg"></div>', "p.jpg"),
        ('<div data-props=\'{"image":"https://shop.example/a/p.jpg",}\'></div>', "p.jpg"),
        ('<script type="application/LD+JSON; charset=utf-8">{"image":"p.jpg"}</script>', "p.jpg"),
        ('<script type="application/ld+json"><!-- {"image":"p.jpg"} --></script>', "p.jpg"),
        ('<script type="application/ld+json">\n//<![CDATA[\n{"image":"p.jpg"}\n//]]>\n</script>', "p.jpg"),
        ('<script type="application/ld+json">{"name":"two\nlines","image":"p.jpg"}</script>', "p.jpg"),
        ('<script type="application/ld+json">{"image":"https://shop.example/a/p.jpg",}</script>', "p.jpg"),
        ('<span itemprop="image" content="p.jpg"></span>', "p.jpg"),
        ('<a href="/a/attachments/boat-jpg.17/"><img src="thumb.jpg"></a>', "attachments/boat-jpg.17/"),
        ('<div class="b-lazy" data-src="s.jpg|p.jpg"></div>', "p.jpg"),
        ('<img class="b-lazy" data-src="s.jpg|p.jpg" src="blank.gif">', "p.jpg"),
        ('<gallery-item full="p.jpg"></gallery-item>', "p.jpg"),
        ('<script type="application/ld+json">{"@type":"ImageObject","url":["s.jpg","p.jpg"]}</script>', "p.jpg"),
        ('<script type="application/ld+json">{"@type":"MediaObject","contentUrl":"p.jpg"}</script>', "p.jpg"),
        ("<iframe srcdoc=\"&lt;img src='p.jpg'&gt;\"></iframe>", "p.jpg"),
        ("<template><iframe srcdoc=\"<img src='p.jpg'>\"></iframe></template>", "p.jpg"),
        ('<link rel="stylesheet" href="data:text/css;base64,LmF7YmFja2dyb3VuZDp1cmwocC5qcGcpfQ==">', "p.jpg"),
        ('<link rel="stylesheet" href="data:text/css,.a%7Bbackground:url(p.jpg)%7D">', "p.jpg"),
        ('<img nitro-lazy-src="p.jpg">', "p.jpg"),
        ('<img data-a-loader-of-tomorrow-src="https://shop.example/a/picture">', "picture"),
        ('<img data-a-loader-of-tomorrow-srcset="s.jpg 1x, p.jpg 2x">', "p.jpg"),
        ('<script id="__NEXT_DATA__" type="application/json">{"src":"/a/p.jpg"}</script>', "p.jpg"),
        ('<script>self.__next_f.push([1,"{\\"src\\":\\"/a/p.jpg\\"}"])</script>', "p.jpg"),
        ("<script>show('\\/a\\/p.jpg')</script>", "p.jpg"),
        ("<script>show('//shop.example/a/p.jpg')</script>", "p.jpg"),
        ('<script>var x = {"display_url":"https:\\/\\/shop.example\\/a\\/p.jpg"}</script>', "p.jpg"),
        ('<script>var x = {src:"https:\\u002F\\u002Fshop.example\\u002Fa\\u002Fp.jpg"}</script>', "p.jpg"),
        ('<script>var x = {"src":"\\/\\/shop.example\\/a\\/p.jpg"}</script>', "p.jpg"),
        ("<script>{&q;a&q;:&q;https://shop.example/a/p.jpg&q;,&q;b&q;:1}</script>", "p.jpg"),
        ('<script>x="https://shop.example/a/o.jpg,https://shop.example/a/p.jpg"</script>', "p.jpg"),
        ('<iframe src="p.jpg"></iframe>', "p.jpg"),
        ('<div data-content="&lt;img src=p.jpg&gt;"></div>', "p.jpg"),
        ('<link rel=stylesheet href="data:text/css,.a{background:url(https://shop.example/a/p.jpg)}">', "p.jpg"),
        ('<svg><filter><feImage href="p.jpg"/></filter></svg>', "p.jpg"),
        ('<picture data-alt="x"><source srcset="p.jpg"></picture>', "p.jpg"),
        ('<div data-bg-multi="url(o.jpg), url(p.jpg)"></div>', "p.jpg"),
        ("<div data-background-image-set=\"url('o.jpg') 1x, url('p.jpg') 2x\"></div>", "p.jpg"),
        ('<div data-echo-background="p.jpg"></div>', "p.jpg"),
        ('<div data-images="/a/o.jpg,/a/p.jpg"></div>', "p.jpg"),
        ('<a data-pswp-srcset="o.jpg 600w, p.jpg 1600w"></a>', "p.jpg"),
        ('<ion-img src="p.jpg"></ion-img>', "p.jpg"),
        ('<div itemprop="image" itemscope><meta itemprop="url" content="/a/p.jpg"></div>', "p.jpg"),
        ('<link itemprop="thumbnailUrl" href="p.jpg">', "p.jpg"),
        ('<meta name="sailthru.image.full" content="/a/p.jpg">', "p.jpg"),
        ('<script type="application/ld+json">{"image":{"url":"p.jpg"}}</script>', "p.jpg"),
    ],
)
def test_each_way_to_show_a_picture(html: str, url: str, page: Callable[..., list[Any]]) -> None:
    assert HERE + url in pictures(page(f"<!doctype html><title>t</title>{html}"))


WAYS = [
    '<img src="{}.jpg">',
    '<img data-src="{}.jpg" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    '<img class=lazy data-original="{}.jpg" src="blank.gif"><noscript><img src="{}.jpg"></noscript>',
    '<img srcset="{}-300x200.jpg 300w, {}.jpg 1200w" src="{}-300x200.jpg">',
    '<picture><source type="image/webp" srcset="{}.webp"><img src="{}.jpg"></picture>',
    '<a href="{}.jpg"><img src="{}-150x150.jpg" alt="x"></a>',
    '<div style="background-image:url({}.jpg)">words</div>',
    '<meta property="og:image" content="{}.jpg?v=3"><img src="{}.jpg?w=600">',
    '<video poster="{}.jpg"></video>',
    '<div data-bg="{}.jpg"></div>',
    '<svg><image href="{}.jpg"/></svg>',
]


@given(
    st.lists(
        st.tuples(st.text("abcdefgh", min_size=4, max_size=9), st.sampled_from(WAYS)), unique_by=lambda one: one[0]
    )
)
def test_every_picture_once_however_they_are_written(pictures_and_ways: list[tuple[str, str]]) -> None:
    html = "".join(f"<p>Words</p>{way.replace('{}', name)}" for name, way in pictures_and_ways)
    response = Response(HERE, HERE, 200, (("content-type", "text/html"),), html.encode(), NOON)
    seen = [one for one in read_html(response).seen if isinstance(one, PageImage)]
    assert [stem(one) for one in seen] == [name for name, _ in pictures_and_ways]


def stem(sighting: PageImage) -> str:
    name = (sighting.image_url or "").rpartition("/")[2]
    return name.partition(".")[0].partition("-")[0]


def test_addresses_are_completed_as_browsers_do(page: Callable[..., list[Any]]) -> None:
    seen = page(
        '<base href="//cdn.example/x/"><img src="../p.jpg"><img src="//other.example/q.jpg"><img src=" r.jpg\n">'
    )
    assert list(pictures(seen)) == [
        "https://cdn.example/p.jpg",
        "https://other.example/q.jpg",
        "https://cdn.example/x/r.jpg",
    ]


def test_wordpress(page: Callable[..., list[Any]]) -> None:
    html = """<figure class="wp-caption"><img src="/u/cat-300x200.jpg" alt="A cat" srcset="/u/cat-300x200.jpg 300w,
      /u/cat-1024x683.jpg 1024w, /u/cat.jpg 2000w" sizes="(max-width: 300px) 100vw">
      <figcaption>Our cat</figcaption></figure>
      <a href="/u/cat.jpg">larger</a>"""
    (seen,) = page(html)
    assert seen.image_url == "https://shop.example/u/cat.jpg"
    assert set(seen.also_at) == {"https://shop.example/u/cat-300x200.jpg", "https://shop.example/u/cat-1024x683.jpg"}
    assert (seen.context.alt, seen.context.caption) == ("A cat", "Our cat")


def test_shopify(page: Callable[..., list[Any]]) -> None:
    cdn = "//cdn.shop.example/s"
    html = f"""<img class="lazyload" data-src="{cdn}/mug_{{width}}x.jpg?v=17" data-widths="[180, 360]"
      src="{cdn}/mug_300x300.jpg?v=17"><noscript><img src="{cdn}/mug_1024x.jpg?v=17"></noscript>"""
    small, middle, large = (f"https:{cdn}/mug_{size}.jpg?v=17" for size in ("300x300", "360x", "1024x"))
    found = pictures(page(html))
    assert list(found) == [large]
    assert set(found[large]) == {middle, small}


def test_lazysizes_and_a_shared_placeholder(page: Callable[..., list[Any]]) -> None:
    html = "".join(f'<img class="lazyload" src="blank.gif" data-srcset="{n}-s.jpg 400w, {n}-l.jpg 800w">' for n in "ab")
    found = pictures(page(html))
    assert [url for url in found if url and url.endswith("-l.jpg")] == [HERE + "a-l.jpg", HERE + "b-l.jpg"]


def test_next_image(page: Callable[..., list[Any]]) -> None:
    html = """<img srcset="/_next/image?url=%2Fimg%2Fp.jpg&amp;w=640&amp;q=75 1x,
      /_next/image?url=%2Fimg%2Fp.jpg&amp;w=1200&amp;q=75 2x"
      src="/_next/image?url=%2Fimg%2Fp.jpg&amp;w=1200&amp;q=75"><noscript></noscript>"""
    found = pictures(page(html))
    assert list(found) == ["https://shop.example/_next/image?url=%2Fimg%2Fp.jpg&w=1200&q=75"]


def test_wikipedia_like_figure(page: Callable[..., list[Any]]) -> None:
    html = """<figure><a href="/wiki/File:Cat.jpg"><img src="//upload.example/thumb/a/Cat.jpg/250px-Cat.jpg"
      srcset="//upload.example/thumb/a/Cat.jpg/375px-Cat.jpg 1.5x, //upload.example/thumb/a/Cat.jpg/500px-Cat.jpg 2x"
      width="250" height="170"></a><figcaption>A cat in Paris</figcaption></figure>"""
    (seen,) = [one for one in page(html) if isinstance(one, PageImage) and one.context.caption]
    assert seen.image_url == "https://upload.example/thumb/a/Cat.jpg/500px-Cat.jpg"
    assert seen.context.caption == "A cat in Paris"


def test_phpbb_avatars_and_attachments(page: Callable[..., list[Any]]) -> None:
    html = """<img class="avatar" src="./download/file.php?avatar=2_17.jpg" width="90" height="90">
      <dl class="file"><dt><img src="./download/file.php?id=31&amp;mode=view" alt="IMG_1.jpg"></dt></dl>
      <img src="./images/smilies/grin.gif" width="15" height="17">"""
    seen = page(html, "https://forum.example/viewtopic.php?t=1")
    assert list(pictures(seen)) == [
        "https://forum.example/download/file.php?avatar=2_17.jpg",
        "https://forum.example/download/file.php?id=31&mode=view",
    ]
    assert left_out(seen) == {"https://forum.example/images/smilies/grin.gif": "too_small"}


def test_what_cannot_be_a_picture_is_named(page: Callable[..., list[Any]]) -> None:
    html = f"""<img src="logo.svg"><img src="ftp://x.example/p.jpg"><img src="data:image/gif;base64,{PIXEL}">
      <img src="data:image/svg+xml,%3Csvg%3E"><img src="dot.png" width="1" height="1"><img src=""><img src="#">"""
    assert left_out(page(html)) == {
        HERE + "logo.svg": "vector",
        "ftp://x.example/p.jpg": "bad_address",
        "data:image/gif;base64": "too_small",
        "data:image/svg+xml": "vector",
        HERE + "dot.png": "too_small",
    }


def test_a_picture_inside_the_page(page: Callable[..., list[Any]]) -> None:
    content = bytes(range(256)) * 2
    encoded = base64.b64encode(content).decode()
    before, inside, after = page(
        f'<img src="a.jpg"><img src="data:image/png;base64,{encoded}" alt="in"><img src="b.jpg">'
    )
    assert (inside.image_url, inside.inline, inside.context.alt) == (None, content, "in")
    assert (before.image_url, after.image_url) == (HERE + "a.jpg", HERE + "b.jpg"), "in the page's order"


def test_a_page_of_too_many_pictures_is_cut_and_says_so(page: Callable[..., list[Any]]) -> None:
    seen = page("".join(f'<img src="{n}.jpg">' for n in range(MAX_PICTURES + 7)))
    assert len(pictures(seen)) == MAX_PICTURES
    assert [(one.reason, one.detail) for one in seen if isinstance(one, Skipped)] == [
        ("budget", "7 more pictures on one page")
    ]


@pytest.mark.parametrize(
    "html",
    ["", "<", "<img", "<img src=", "\x00\xff", "<base href='http://['><img src='p.jpg'>", "<a href='http://[x'>"],
)
def test_broken_pages_are_read_as_far_as_they_go(html: str, page: Callable[..., list[Any]]) -> None:
    assert all(isinstance(one, PageImage | Skipped) for one in page(html))


def test_what_holds_the_place_of_a_picture_is_not_another_one(page: Callable[..., list[Any]]) -> None:
    small = base64.b64encode(b"\xff\xd8\xff" + bytes(400)).decode()
    inside = f"data:image/jpeg;base64,{small}"
    seen = page(f'<img src="{inside}" data-src="p.jpg"><img src="{inside}">')
    assert [(one.image_url, one.inline is not None) for one in seen] == [(HERE + "p.jpg", False), (None, True)]


def test_names_of_files_in_attributes_are_no_addresses(page: Callable[..., list[Any]]) -> None:
    assert pictures(page('<div data-name="p.jpg" data-props=\'{"file": "p.jpg"}\'></div>')) == {}


def test_a_link_to_the_larger_picture_is_no_second_one(page: Callable[..., list[Any]]) -> None:
    (seen,) = page('<a href="big/boat.jpg"><img src="thumbs/boat.jpg" alt="A boat"></a>')
    assert (seen.image_url, seen.also_at) == (HERE + "big/boat.jpg", (HERE + "thumbs/boat.jpg",))
    assert seen.context.alt == "A boat"


def test_what_a_link_with_another_name_shows_stays_a_picture(page: Callable[..., list[Any]]) -> None:
    found = pictures(
        page('<a href="map.jpg"><img src="pin.jpg"></a><a href="x.jpg"><img src="x_t.jpg"><img src="y.jpg"></a>')
    )
    assert list(found) == [HERE + name for name in ("map.jpg", "pin.jpg", "x.jpg", "x_t.jpg", "y.jpg")]


def test_a_forum_file_behind_its_thumbnail(page: Callable[..., list[Any]]) -> None:
    link = "/attachments/img_1-jpg.123/"
    found = pictures(page(f'<a href="{link}"><img src="/data/attachments/0/123-abcd.jpg"></a>'))
    assert found == {f"https://shop.example{link}": ("https://shop.example/data/attachments/0/123-abcd.jpg",)}


def test_sources_by_medium_in_other_sizes_and_in_other_cuts(page: Callable[..., list[Any]]) -> None:
    def picture(wide: str, narrow: str) -> str:
        return f'<picture><source media="(min-width: 9em)" srcset="{wide}"><img src="{narrow}"></picture>'

    assert pictures(page(picture("hero-1600.jpg", "hero-800.jpg"))) == {
        HERE + "hero-1600.jpg": (HERE + "hero-800.jpg",)
    }
    assert list(pictures(page(picture("wide.jpg", "tall.jpg")))) == [HERE + "tall.jpg", HERE + "wide.jpg"]


def test_a_larger_view_in_another_attribute_and_another_view(page: Callable[..., list[Any]]) -> None:
    found = pictures(page('<img src="s/mug.jpg" data-zoom-image="l/mug.jpg" data-hover="back.jpg">'))
    assert found == {HERE + "l/mug.jpg": (HERE + "s/mug.jpg",), HERE + "back.jpg": ()}


def test_placeholders_without_an_ending_join_nothing(page: Callable[..., list[Any]]) -> None:
    found = pictures(page('<img src="/blank" data-src="/pic/1"><img src="/blank" data-src="/pic/2">'))
    assert list(found) == ["https://shop.example/pic/1", "https://shop.example/pic/2"]


def test_placeholders_of_the_same_name_join_nothing(page: Callable[..., list[Any]]) -> None:
    found = pictures(page("".join(f'<img src="/wait/image.jpg" data-src="/{n}/image.jpg">' for n in (1, 2))))
    assert list(found) == ["https://shop.example/1/image.jpg", "https://shop.example/2/image.jpg"]


def test_two_cuts_of_a_background_stay_two(page: Callable[..., list[Any]]) -> None:
    found = pictures(page('<div data-bgset="tall.jpg [(max-width: 9em)] | wide.jpg"></div>'))
    assert list(found) == [HERE + "tall.jpg", HERE + "wide.jpg"]


def test_markup_in_an_attribute_is_no_address(page: Callable[..., list[Any]]) -> None:
    html = "<div data-cachedhtml='&lt;div&gt;&lt;img src=\"/a/p.jpg?w=9&amp;amp;s=1\"&gt;&lt;/div&gt;'></div>"
    assert list(pictures(page(html))) == [HERE + "p.jpg?w=9&s=1"]


def test_the_name_of_another_object_is_no_address(page: Callable[..., list[Any]]) -> None:
    assert pictures(page('<script type="application/ld+json">{"logo":"https://shop.example/#logo"}</script>')) == {}


def test_an_address_with_a_gap_for_scripts_to_fill_is_none(page: Callable[..., list[Any]]) -> None:
    assert pictures(page('<script>x="https://shop.example/p_{width}x.jpg"</script>')) == {}


def test_frames_of_hostile_html_are_left_out_and_named(page: Callable[..., list[Any]]) -> None:
    deep = "&lt;div&gt;" * 20_000
    assert left_out(page(f'<iframe srcdoc="{deep}"></iframe>')) == {HERE + "page.html": "budget"}


def test_words_of_linked_data_and_of_drawn_pictures(page: Callable[..., list[Any]]) -> None:
    linked = '{"@type":"ImageObject","url":"/a/p.jpg","caption":"Soup with leek"}'
    (seen,) = page(f'<script type="application/ld+json">{linked}</script>')
    assert seen.context.caption == "Soup with leek"
    (seen,) = page('<div role="img" aria-label="A boat" style="background:url(p.jpg)"></div>')
    assert seen.context.alt == "A boat"


@pytest.mark.parametrize(
    "script",
    [
        "/\\.(?:jpg|png)$/.test(name)",
        'cache("/*.jpg")',
        'route("/:slug/photo.jpg")',
        "show(`/photos/${id}.jpg`)",
        'show("/photos/" + id + ".jpg")',
        'accept = ".jpg,.png"',
        'type = "image/jpg"',
    ],
)
def test_what_scripts_put_together_is_no_address(script: str, page: Callable[..., list[Any]]) -> None:
    assert pictures(page(f"<!doctype html><title>t</title><script>{script}</script>")) == {}


def test_the_file_behind_a_blurred_rendition(page: Callable[..., list[Any]]) -> None:
    """As Wix writes it: the page shows a blur, and its data name the file that was uploaded."""
    media = "https://static.wixstatic.com/media/a_1~mv2.jpg"
    small, large = f"{media}/v1/fill/w_147,h_98,blur_2/boat.jpg", f"{media}/v1/fill/w_980,h_653/boat.jpg"
    info = '{"imageData": {"width": 3000, "uri": "a_1~mv2.jpg", "name": "boat.jpg"}}'
    seen = page(f"<wow-image data-image-info='{info}'><img src='{small}' alt='Boat'></wow-image><img src='{large}'>")
    assert pictures(seen) == {media: (large, small)}


def test_bad_base64_in_a_style_sheet_is_passed_over(page: Callable[..., list[Any]]) -> None:
    assert page("<title>t</title><link rel=stylesheet href='data:text/css;base64,A'><img src=p.jpg>")[0].image_url


def test_what_a_script_calls_large_comes_first(page: Callable[..., list[Any]]) -> None:
    """As Magento writes it: three sizes of one picture under digests that do not tell them apart."""
    urls = [f"https://shop.example/media/catalog/product/cache/{n * 32}/a/b/ab.jpg" for n in "123"]
    data = ",".join(
        f'"{name}": "{url}"'.replace("/", "\\/") for name, url in zip(("thumb", "img", "full"), urls, strict=True)
    )
    assert pictures(page(f"<title>t</title><script>{{{data}}}</script>")) == {urls[2]: (urls[1], urls[0])}


@pytest.mark.parametrize(
    ("header", "head", "own", "policy"),
    [
        ("", "", "", "strict-origin-when-cross-origin"),
        ("no-referrer", "", "", "no-referrer"),
        ("no-referrer, origin, newer-than-us", "", "", "origin"),
        ("origin", '<meta name="Referrer" content="never">', "", "no-referrer"),
        ("", '<meta name="referrer" content="same-origin"><meta name="referrer" content="oops">', "", "same-origin"),
        ("", '<meta name="referrer" content="origin">', "No-Referrer", "no-referrer"),
    ],
)
def test_what_pictures_may_tell_of_their_page(header: str, head: str, own: str, policy: str) -> None:
    html = f'{head}<p>Words</p><img src="cat.jpg" referrerpolicy="{own}">'
    named = (("content-type", "text/html"), ("Referrer-Policy", header))
    reading = read_html(Response(HERE, HERE, 200, named, html.encode(), NOON))
    (image,) = (one for one in reading.seen if isinstance(one, PageImage))
    assert (image.referrer_policy or reading.referrer_policy) == policy


WIX = "11062b_0123456789abcdef0123456789abcdef~mv2.jpg"


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (f'<script>{{"uri":"{WIX}","width":9}}</script>', [f"https://static.wixstatic.com/media/{WIX}"]),
        (f'<script>x="{{\\"uri\\":\\"{WIX}\\"}}"</script>', [f"https://static.wixstatic.com/media/{WIX}"]),
        (f'<script>"wix:image://v1/{WIX}/a.jpg#w=9"</script>', [f"https://static.wixstatic.com/media/{WIX}"]),
        (f'<wow-image data-image-info=\'{{"uri":"{WIX}"}}\'>', [f"https://static.wixstatic.com/media/{WIX}"]),
        ("<img :src=\"'/a.jpg'\">", ["https://here.example/a.jpg"]),
        (
            "<img v-bind:src=\"open ? '/a.jpg' : '/b.jpg'\">",
            ["https://here.example/a.jpg", "https://here.example/b.jpg"],
        ),
        ("<img v-lazy=\"'/a.jpg'\">", ["https://here.example/a.jpg"]),
        ("<img [src]=\"'/a.jpg'\">", ["https://here.example/a.jpg"]),
        ("<p :style=\"{backgroundImage: 'url(/a.jpg)'}\">", ["https://here.example/a.jpg"]),
        ('<gallery :items=\'[{"src": "/a.jpg"}]\'>', ["https://here.example/a.jpg"]),
        ("<script type=text/x-template><img src=/a.jpg></script>", ["https://here.example/a.jpg"]),
        ("<img :src='item.image'><img src='/{{ id }}.jpg'><img src='<%= id %>.jpg'><img src='%7B%7Bid%7D%7D.jpg'>", []),
        ("<img :src=\"require('@/assets/a.jpg')\"><img :src='`/img/${id}.jpg`'>", []),
    ],
)
def test_templates_and_bare_names(html: str, found: list[str]) -> None:
    here = "https://here.example/"
    response = Response(here, here, 200, (("content-type", "text/html"),), html.encode(), NOON)
    assert [one.image_url for one in read_html(response).seen if isinstance(one, PageImage)] == found


def test_pictures_that_a_template_leaves_to_scripts_need_a_browser() -> None:
    html = "<p>Words</p><img src='/{{ id }}.jpg'><script src=app.js></script>"
    response = Response(HERE, HERE, 200, (("content-type", "text/html"),), html.encode(), NOON)
    assert read_html(response).browser_sign == "its pictures are filled in by scripts"


@pytest.mark.parametrize("label", ["utf-16", "utf-16le", "UTF-16BE", "unicode", "utf-32"])
def test_a_page_that_says_it_is_utf_16_within_itself_is_utf_8(label: str) -> None:
    for head in (f"<meta charset={label}>", f"<meta http-equiv=Content-Type content='text/html; charset={label}'>"):
        html = f"{head}<img src=/cat.jpg alt=Caf\u00e9>".encode()
        (image,) = (
            one for one in read_html(Response(HERE, HERE, 200, (), html, NOON)).seen if isinstance(one, PageImage)
        )
        assert image.context.alt == "Caf\u00e9"
    real = "\ufeff<meta charset=utf-16><img src=/cat.jpg alt=Caf\u00e9>".encode("utf-16-le")
    (image,) = (one for one in read_html(Response(HERE, HERE, 200, (), real, NOON)).seen if isinstance(one, PageImage))
    assert image.context.alt == "Caf\u00e9"
