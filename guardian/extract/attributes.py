"""The pictures that the attributes of one element name, as the page writes them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from guardian.extract.css import css_pictures
from guardian.extract.data_urls import decoded, is_data_url
from guardian.extract.scripts import is_picture_file, pictures_in_json, strings_of_json
from guardian.extract.srcset import Variant, parse_srcset, ranked

IMAGES = frozenset(["img", "amp-img", "amp-anim"])
Attributes = dict[str, str | None]

# Those of the loaders that publishing systems and their caches bring along, beside all that have srcset in their name.
_LAZY_SETS = ("data-original-set",)
_LAZY = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-lazyload",
    "data-flickity-lazyload",
    "data-orig-src",
    "data-real-src",
    "data-actualsrc",
    "data-echo",
    "data-cfsrc",
    "data-pagespeed-lazy-src",
    "data-nitro-lazy-src",
    "data-wpfc-original-src",
    "data-opt-src",
    "data-ezsrc",
    "data-breeze",
]
_LAZY_BACKGROUNDS = ("data-bg", "data-background", "data-background-image", "data-bgset", "data-parallax")
_BACKGROUNDS = frozenset(["body", "table", "td", "th", "tr"])
_META = frozenset(
    ["og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"]
) | frozenset(["image", "thumbnail", "thumbnailurl", "contenturl"])
_TILE = "msapplication"
_NAMED = {
    "video": ("poster", "data-poster"),
    "amp-video": ("poster",),
    "image": ("href", "xlink:href"),
    "feimage": ("href", "xlink:href"),
    "embed": ("src",),
    "iframe": ("src",),
    "frame": ("src",),
}
_MAY_BE_OTHERWISE = ("embed", "iframe", "frame")
_ANY_SOURCE = re.compile(r"(?<!video)(?<!audio)(?<!iframe)-src(?:set)?$")
# An attribute of this name holds an address, even where that is a name alone.
_OF_ADDRESS = re.compile(r"(?:^|[-_])(?:src|bg|background|poster|lazyload|img|image|hidpi|retina)$")
_OF_LARGER = re.compile(r"large|full|zoom|big|hi-?res|orig|retina|hidpi")
_LIST = re.compile(r"[,;|]\s*")
_MARKUP_WITH_PICTURE = re.compile(r"<(?:img|picture|amp-img)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Other:
    """Addresses of one picture, best first, in an attribute that is not the element's own.

    `is_larger`: its name says that, where it is a rendition of the element's picture.
    """

    urls: list[str]
    is_larger: bool = False


def named_by(tag: str, attributes: Attributes) -> list[list[str]]:
    """Return groups of addresses of one picture each, best first, which the element itself shows or names."""
    if tag in _NAMED:
        urls = [attributes.get(name) or "" for name in _NAMED[tag]]
        return [[url] for url in urls if url and (tag not in _MAY_BE_OTHERWISE or is_picture_file(url))]
    if tag == "link":
        return _link(attributes)
    url = ""
    if tag in ("a", "area") and is_picture_file(attributes.get("href") or ""):
        url = attributes.get("href") or ""
    elif tag == "input" and (attributes.get("type") or "").lower() == "image":
        url = attributes.get("src") or ""
    elif tag == "object":
        data, stated = attributes.get("data") or "", (attributes.get("type") or "").lower()
        url = data if stated.startswith("image/") or is_picture_file(data) else ""
    elif attributes.get("content"):
        url = _content(attributes)
    return [[url]] if url else []


def _content(attributes: Attributes) -> str:
    """Return a picture in the content attribute, which meta elements have, and others by microdata."""
    name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").lower()
    url = attributes.get("content") or ""
    says_image = "image" in name or (attributes.get("itemprop") or "").lower() == "url"
    is_picture = says_image and "/" in url and is_picture_file(url) and not name.startswith(_TILE)
    return url if name in _META or is_picture else ""


def _link(attributes: Attributes) -> list[list[str]]:
    relations, href = (attributes.get("rel") or "").lower().split(), attributes.get("href") or ""
    if "image_src" in relations or (attributes.get("itemprop") or "").lower() in _META:
        return [[href]]
    if "preload" in relations and (attributes.get("as") or "").lower() == "image":
        return [[*ranked(parse_srcset(attributes.get("imagesrcset") or "")), href]]
    if "stylesheet" in relations and is_data_url(href):
        text = (decoded(href) or b"").decode("utf-8", errors="replace")
        return [list(urls) for urls in css_pictures(text)]
    return []


def sets_and_singles(attributes: Attributes, variants: list[Variant]) -> list[str]:
    """Adds the sets of one element to `variants`; returns its single addresses, the hidden ones first.

    A lazy loader leaves a placeholder in src; its own attribute has the picture.
    """
    for name, value in attributes.items():
        if _is_set(name):
            variants += parse_srcset(value or "")
    singles = [_with_width(attributes.get(name) or "", attributes) for name in (*_LAZY, "src")]
    return [
        part for url in singles if url and "{" not in url and not url.startswith("[") for part in _pair(url) or [url]
    ]


def _is_set(name: str) -> bool:
    return "srcset" in name or name in _LAZY_SETS


def _with_width(url: str, attributes: Attributes) -> str:
    """Shopify's pages leave the width to a script, and name the widths there are."""
    widths = re.findall(r"\d{2,5}", attributes.get("data-widths") or "") or ["1080"]
    return url.replace("{width}", max(widths, key=int))


def _listed(value: str) -> list[str]:
    """Return the addresses of pictures with commas or bars between; the value itself when it is no such list."""
    parts = [part for part in _LIST.split(value.strip()) if part]
    return parts if len(parts) > 1 and all(map(is_picture_file, parts)) else [value]


def _pair(value: str) -> list[str]:
    """bLazy writes the picture for fine screens behind a bar."""
    return value.split("|")[::-1] if value.count("|") == 1 and all(map(is_picture_file, value.split("|"))) else []


def other_pictures(tag: str, attributes: Attributes) -> Iterator[Other]:
    """Yield pictures in attributes that only the page's own scripts know: the back of a product, a larger view, a gallery."""
    # An element with a hyphen is one of the page's own making, whose attributes may name anything.
    is_image, is_own = tag in IMAGES, "-" in tag and tag not in IMAGES
    # Whose own attributes, sets among them, sets_and_singles has read.
    has_sets = is_image or tag == "source"
    read_before = ("src", *_LAZY) if has_sets else _LAZY_BACKGROUNDS
    for name, value in attributes.items():
        is_source = is_image and _ANY_SOURCE.search(name) is not None
        if not value or not (is_source or is_own or name.startswith("data-")):
            continue
        if value.lstrip()[:1] in ("{", "["):
            yield from (Other([url]) for url in pictures_in_json(value))
        elif name in read_before:
            continue
        elif "url(" in value or "image-set(" in value:
            # lozad writes the inside of an image-set.
            text = f"image-set({value})" if name.endswith("-set") else value
            yield from (Other(list(urls)) for urls in css_pictures(text))
        elif _is_set(name):
            if not has_sets:
                yield Other(ranked(parse_srcset(value)))
        elif name == "data-src" and (pair := _pair(value)):
            yield Other(pair)
        elif is_source and value.startswith(("http:", "https:", "/")):
            yield Other([value])
        elif is_image or is_own or "/" in value or _OF_ADDRESS.search(name):
            is_larger = _OF_LARGER.search(name) is not None
            yield from (Other([url], is_larger) for url in _listed(value) if is_picture_file(url))


def behind_renditions(node: LexborNode, attributes: Attributes) -> Iterator[str]:
    """Yield the uploaded file that an element's JSON names, where the image in it shows a rendition of that: Wix.

    JSON names a.jpg, and the image is /media/a.jpg/fill/w_147/a.jpg: then /media/a.jpg is the file.
    """
    for value in attributes.values():
        if not value or not value.startswith("{") or '"uri"' not in value:
            continue
        names = [name for name in strings_of_json(value) or () if "/" not in name and is_picture_file(name)]
        image = node.css_first("img[src]") if names else None
        shown = (image.attributes.get("src") or "") if image else ""
        yield from (shown.partition(f"/{name}/")[0] + f"/{name}" for name in names if f"/{name}/" in shown)


def lazy_backgrounds(tag: str, attributes: Attributes) -> Iterator[Other]:
    """Backgrounds that scripts set later, and the old background attribute."""
    for name in _LAZY_BACKGROUNDS:
        value = attributes.get(name) or ""
        if "url(" in value or "image-set(" in value:
            yield from (Other(list(urls)) for urls in css_pictures(value))
            continue
        # lazysizes writes one set for each medium, with a bar between; each may be another cut.
        for part in value.split("|"):
            urls = ranked(parse_srcset(part))
            if urls and (is_picture_file(urls[0]) or value.startswith(("http:", "https:", "//"))):
                yield Other(urls)
    if tag in _BACKGROUNDS and attributes.get("background"):
        yield Other([attributes.get("background") or ""])


def markup_in(tag: str, attributes: Attributes) -> Iterator[str]:
    """Pieces of HTML with pictures that an element's attributes hold: a frame's own page, what a script shows later."""
    if tag == "iframe" and attributes.get("srcdoc"):
        yield attributes["srcdoc"] or ""
    for name, value in attributes.items():
        if value and name.startswith("data-") and _MARKUP_WITH_PICTURE.search(value):
            yield value


def shown_size(attributes: Attributes) -> tuple[int, int] | None:
    """Return the size in pixels at which the page shows the picture, when it says both sides."""
    sides = [(attributes.get(name) or "").strip().lower().removesuffix("px") for name in ("width", "height")]
    if all(side.isascii() and side.isdecimal() for side in sides):
        return int(sides[0][:6]), int(sides[1][:6])
    return None
