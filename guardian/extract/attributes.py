"""Finds the pictures that the attributes of one HTML element name, as the page writes them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from guardian.extract.css import css_pictures
from guardian.extract.data_urls import decode_data_url, is_data_url
from guardian.extract.scripts import is_picture_file, pictures_in_expression, pictures_in_json, strings_of_json
from guardian.extract.srcset import Variant, largest_first, parse_srcset

IMAGES = frozenset(["img", "amp-img", "amp-anim"])
"""Elements that show one picture each."""

Attributes = dict[str, str | None]
"""Attributes of an element by name; the value of one that was written without a value is None."""

# What the lazy loaders of publishing systems and their caches write, besides all attributes with srcset in their name.
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
# Names of meta elements and of microdata properties whose content is a picture.
_META = frozenset(
    ["og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"]
) | frozenset(["image", "thumbnail", "thumbnailurl", "contenturl"])
_TILE = "msapplication"
# Elements that name a picture in attributes of their own.
_PICTURE_ATTRIBUTES = {
    "video": ("poster", "data-poster"),
    "amp-video": ("poster",),
    "image": ("href", "xlink:href"),
    "feimage": ("href", "xlink:href"),
    "embed": ("src",),
    "iframe": ("src",),
    "frame": ("src",),
}
# What these embed is mostly something else than a picture.
_MAY_EMBED_ANYTHING = ("embed", "iframe", "frame")
_ANY_SOURCE = re.compile(r"(?<!video)(?<!audio)(?<!iframe)-src(?:set)?$")
# An attribute with such a name holds a URL, even where that is a file name alone.
_ADDRESS_NAME = re.compile(r"(?:^|[-_])(?:src|bg|background|poster|lazyload|img|image|hidpi|retina)$")
# Attributes of Vue, Alpine and Angular whose value is an expression.
_BOUND = (":", "v-", "x-bind:", "[", "ng-style", "ng-bind")
_LARGER_NAME = re.compile(r"large|full|zoom|big|hi-?res|orig|retina|hidpi")
_LIST = re.compile(r"[,;|]\s*")
_MARKUP_WITH_PICTURE = re.compile(r"<(?:img|picture|amp-img)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OtherPicture:
    """URLs of one picture, best first, in an attribute that HTML does not know.

    `is_larger`: by its name the attribute holds a larger rendition of the picture that the element shows.
    """

    urls: list[str]
    is_larger: bool = False


def own_pictures(tag: str, attributes: Attributes) -> list[list[str]]:
    """Return the pictures that an element itself shows or names: the URLs of each, best first.

    Images are not among these elements: see `image_sources`.
    """
    if tag in _PICTURE_ATTRIBUTES:
        groups = []
        for name in _PICTURE_ATTRIBUTES[tag]:
            url = attributes.get(name) or ""
            if url and (tag not in _MAY_EMBED_ANYTHING or is_picture_file(url)):
                groups.append([url])
        return groups
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
    """Return the URL of a picture in the content attribute (meta elements, microdata); "" when it holds none."""
    name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").lower()
    url = attributes.get("content") or ""
    says_image = "image" in name or (attributes.get("itemprop") or "").lower() == "url"
    # The tiles of Windows' start page are icons.
    is_picture = says_image and "/" in url and is_picture_file(url) and not name.startswith(_TILE)
    return url if name in _META or is_picture else ""


def _link(attributes: Attributes) -> list[list[str]]:
    """Return the pictures of a link element: named, preloaded, or within a style sheet in a data: URL."""
    relations, href = (attributes.get("rel") or "").lower().split(), attributes.get("href") or ""
    if "image_src" in relations or (attributes.get("itemprop") or "").lower() in _META:
        return [[href]]
    if "preload" in relations and (attributes.get("as") or "").lower() == "image":
        return [[*largest_first(parse_srcset(attributes.get("imagesrcset") or "")), href]]
    if "stylesheet" in relations and is_data_url(href):
        text = (decode_data_url(href) or b"").decode("utf-8", errors="replace")
        return [list(urls) for urls in css_pictures(text)]
    return []


def image_sources(attributes: Attributes) -> tuple[list[Variant], list[str]]:
    """Return what an image or a source element offers: the images of its sets, and its single URLs, best first.

    The attributes of lazy loaders come before src, in which a lazy loader leaves a placeholder.
    """
    variants: list[Variant] = []
    for name, value in attributes.items():
        if _is_set(name):
            variants += parse_srcset(value or "")

    urls: list[str] = []
    for name in (*_LAZY, "src"):
        url = _with_width(attributes.get(name) or "", attributes)
        # Braces are left for a script to fill in, and a bracket begins JSON.
        if url and "{" not in url and not url.startswith("["):
            urls += _pair(url) or [url]
    return variants, urls


def _is_set(name: str) -> bool:
    return "srcset" in name or name in _LAZY_SETS


def _with_width(url: str, attributes: Attributes) -> str:
    """Return a URL with the largest width that there is in place of {width}, which Shopify leaves to a script."""
    widths = re.findall(r"\d{2,5}", attributes.get("data-widths") or "") or ["1080"]
    return url.replace("{width}", max(widths, key=int))


def _listed(value: str) -> list[str]:
    """Return the URLs of a list of pictures with commas, semicolons or bars between; else the value alone."""
    parts = [part for part in _LIST.split(value.strip()) if part]
    return parts if len(parts) > 1 and all(map(is_picture_file, parts)) else [value]


def _pair(value: str) -> list[str]:
    """Return two URLs that are joined by a bar, best first: bLazy writes the one for fine screens last."""
    urls = value.split("|")
    return urls[::-1] if len(urls) == 2 and all(map(is_picture_file, urls)) else []


def other_pictures(tag: str, attributes: Attributes) -> Iterator[OtherPicture]:
    """Yield the pictures in attributes that only the page's own scripts read.

    Such as the back of a product, a larger view, or the pictures of a gallery.
    """
    for name, value in attributes.items():
        if value and name.startswith(_BOUND):
            # What it is bound to is an expression; what a template engine leaves as it is may name pictures itself.
            if "url(" in value:
                yield from (OtherPicture(list(urls)) for urls in css_pictures(value))
            else:
                yield from (OtherPicture([url]) for url in pictures_in_expression(value))
        elif value and _may_be_read_by_script(tag, name):
            yield from _pictures_in_attribute(tag, name, value)


def _may_be_read_by_script(tag: str, name: str) -> bool:
    return name.startswith("data-") or _is_custom(tag) or _is_source_of_image(tag, name)


def _is_custom(tag: str) -> bool:
    """Return whether an element is a custom one (its name has a hyphen), whose attributes may name anything."""
    return "-" in tag and tag not in IMAGES


def _is_source_of_image(tag: str, name: str) -> bool:
    return tag in IMAGES and _ANY_SOURCE.search(name) is not None


def _pictures_in_attribute(tag: str, name: str, value: str) -> list[OtherPicture]:
    """Return the pictures in the value of one attribute, which may be JSON, CSS, a srcset, a list or one URL."""
    if value.lstrip()[:1] in ("{", "["):
        return [OtherPicture([url]) for url in pictures_in_json(value)]

    # image_sources reads the attributes of these elements, sets among them; background_pictures reads the others'.
    has_sources = tag in IMAGES or tag == "source"
    if name in (("src", *_LAZY) if has_sources else _LAZY_BACKGROUNDS):
        return []

    if "url(" in value or "image-set(" in value:
        # lozad writes only what stands between the parentheses of an image-set.
        style = f"image-set({value})" if name.endswith("-set") else value
        return [OtherPicture(list(urls)) for urls in css_pictures(style)]
    if _is_set(name):
        return [] if has_sources else [OtherPicture(largest_first(parse_srcset(value)))]
    if name == "data-src" and (pair := _pair(value)):
        return [OtherPicture(pair)]
    if _is_source_of_image(tag, name) and value.startswith(("http:", "https:", "/")):
        return [OtherPicture([value])]

    # Any other data attribute of an ordinary element holds a URL only if it looks like one.
    may_name_picture = tag in IMAGES or _is_custom(tag) or "/" in value or _ADDRESS_NAME.search(name)
    if not may_name_picture:
        return []
    is_larger = _LARGER_NAME.search(name) is not None
    return [OtherPicture([url], is_larger) for url in _listed(value) if is_picture_file(url)]


def originals_in_json(node: LexborNode, attributes: Attributes) -> Iterator[str]:
    """Yield the URL of each uploaded file that an element's JSON names while its image shows a rendition, as Wix does.

    The JSON names a.jpg, and the image is /media/a.jpg/fill/w_147/a.jpg: then the original is /media/a.jpg.
    """
    for value in attributes.values():
        if not value or not value.startswith("{") or '"uri"' not in value:
            continue

        names = [name for name in strings_of_json(value) or () if "/" not in name and is_picture_file(name)]
        image = node.css_first("img[src]") if names else None
        shown = (image.attributes.get("src") or "") if image else ""
        for name in names:
            folder, is_below, _ = shown.partition(f"/{name}/")
            if is_below:
                yield f"{folder}/{name}"


def background_pictures(tag: str, attributes: Attributes) -> Iterator[OtherPicture]:
    """Yield the backgrounds that scripts set later, and that of the old background attribute."""
    for name in _LAZY_BACKGROUNDS:
        value = attributes.get(name) or ""
        if "url(" in value or "image-set(" in value:
            yield from (OtherPicture(list(urls)) for urls in css_pictures(value))
            continue

        # lazysizes writes one set for each medium, with a bar between; each may be another cut.
        for part in value.split("|"):
            urls = largest_first(parse_srcset(part))
            # The value may also be a colour or the name of a class.
            if urls and (is_picture_file(urls[0]) or value.startswith(("http:", "https:", "//"))):
                yield OtherPicture(urls)

    if tag in _BACKGROUNDS and attributes.get("background"):
        yield OtherPicture([attributes.get("background") or ""])


def embedded_markup(tag: str, attributes: Attributes) -> Iterator[str]:
    """Yield the HTML with pictures in an element's attributes: a frame's document, or what a script shows later."""
    if tag == "iframe" and attributes.get("srcdoc"):
        yield attributes["srcdoc"] or ""
    for name, value in attributes.items():
        if value and name.startswith("data-") and _MARKUP_WITH_PICTURE.search(value):
            yield value


def shown_size(attributes: Attributes) -> tuple[int, int] | None:
    """Return the width and height in pixels at which the page shows a picture; None unless it states both."""
    sides = [(attributes.get(name) or "").strip().lower().removesuffix("px") for name in ("width", "height")]
    if all(side.isascii() and side.isdecimal() for side in sides):
        # Python refuses to read numbers of thousands of digits.
        return int(sides[0][:6]), int(sides[1][:6])
    return None
