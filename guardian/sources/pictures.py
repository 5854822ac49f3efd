"""Every picture that a page carries, however it is written, each once with all its addresses and its words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.addresses import joined, printed
from guardian.model import Context, Omission, Response, Sighting
from guardian.sources.context import PageWords, is_linked_data, linked_data
from guardian.sources.css import css_pictures
from guardian.sources.gathering import Gathering, decoded
from guardian.sources.links import base_of
from guardian.sources.scripts import is_picture_file, pictures_in_json, pictures_in_script, strings_of_json
from guardian.sources.srcset import Variant, parse_srcset
from guardian.variants import is_forum_file

SMALLEST_SIDE = 32
"""Pixels; a picture that its page shows smaller in both directions is an icon or a counter."""

_MOST_ADDRESSES = 20_000
_MOST_SOURCES = 64
_MOST_TEMPLATES = 100
_LONGEST_ADDRESS = 8_000
# Those of the loaders that publishing systems and their caches bring along.
_LAZY_SETS = [
    "data-srcset",
    "data-lazy-srcset",
    "data-original-set",
    "data-flickity-lazyload-srcset",
    "data-orig-srcset",
    "data-cfsrcset",
    "data-pagespeed-lazy-srcset",
    "data-nitro-lazy-srcset",
    "nitro-lazy-srcset",
    "data-wpfc-original-srcset",
]
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
    "nitro-lazy-src",
    "data-wpfc-original-src",
    "data-opt-src",
    "data-ezsrc",
    "data-breeze",
]
_LAZY_BACKGROUNDS = ("data-bg", "data-background", "data-background-image", "data-bgset", "data-parallax")
_ANY_SOURCE = re.compile(r"(?<!video)(?<!audio)(?<!iframe)-src(?:set)?$")
_IMAGES = frozenset(["img", "amp-img", "amp-anim"])
_BACKGROUNDS = frozenset(["body", "table", "td", "th", "tr"])
_META = frozenset(
    ["og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "image", "thumbnail"]
)


@dataclass(slots=True)
class _Find:
    """One picture of the page: its addresses, best first, as the page writes them."""

    urls: list[str]
    context: Context
    shown: tuple[int, int] | None = None


def images_on_page(tree: LexborHTMLParser, response: Response, source: str) -> list[Sighting | Omission]:
    """What a page shows, in its order. An Omission names each thing that is no picture to fetch, and why.

    Renditions of one picture are one sighting: `image_url` is the largest, `also_at` the others.
    """
    page, gathered, named = _Page(tree, response), Gathering(response, source), 0
    for find in page.finds():
        named += len(find.urls)
        if named > _MOST_ADDRESSES:
            gathered.leave_out(page.url, "budget", f"more than {_MOST_ADDRESSES} addresses on one page")
            break
        addresses = [url for url in (page.absolute(raw, gathered) for raw in find.urls) if url]
        # Beside an address of its own, what is written into the page only holds the picture's place.
        for url in () if addresses else find.urls:
            if url.startswith("data:"):
                gathered.add_inside(url, find.context)
        if find.shown and max(find.shown) < SMALLEST_SIDE and len(addresses) == 1:
            gathered.leave_out(addresses[0], "too_small", f"shown at {find.shown[0]}x{find.shown[1]} pixels")
        elif addresses:
            gathered.add(addresses, find.context)
    return gathered.all()


class _Page:
    """One parsed page."""

    def __init__(self, tree: LexborHTMLParser, response: Response) -> None:
        self.url = response.final_url
        self._tree = tree
        self._words = PageWords(tree, response)
        self._offered = set[int]()
        self._base = base_of(tree, response)

    def absolute(self, raw: str, gathered: Gathering) -> str | None:
        """The whole address; None, and an omission where a person would miss it, for what cannot be fetched."""
        address = raw.strip()
        if len(address) > _LONGEST_ADDRESS and not address.startswith("data:"):
            gathered.leave_out(address[:200], "bad_address", f"longer than {_LONGEST_ADDRESS} characters")
            return None
        if not address or address.startswith(("data:", "#", "about:", "javascript:", "{", "blob:")):
            return None
        whole = joined(self._base, address)
        parts = urlsplit(whole) if whole else None
        if whole is None or parts is None or parts.scheme not in ("http", "https"):
            gathered.leave_out(address[:200], "bad_address", "not a web address")
            return None
        if parts.path.lower().endswith((".svg", ".svgz")):
            gathered.leave_out(whole, "vector", "an SVG drawing")
            return None
        return printed(whole)

    def finds(self) -> Iterator[_Find]:
        """Everything that names a picture, in the order of the page, then what its scripts and JSON-LD name."""
        trees = [self._tree]
        for tree in trees:
            # What stands in a template or a frame, which may hold others, is a document of its own.
            for inner in tree.css("template, iframe[srcdoc]")[: _MOST_TEMPLATES - len(trees)]:
                whole = inner.attributes.get("srcdoc") if inner.tag == "iframe" else inner.html
                trees.append(LexborHTMLParser(re.sub(r"^<template[^>]*>|</template>$", "", whole or "")))
        for tree in trees:
            for node in tree.root.traverse() if tree.root else ():
                yield from self._at(node)
        plain = self._words.of_page
        for thing in linked_data(self._tree):
            yield from (_Find([url], plain) for url in _linked_images(thing))
        for script in self._tree.css("script:not([src])"):
            if not is_linked_data(script):
                yield from (_Find([url], plain) for url in pictures_in_script(script.text()))

    def _at(self, node: LexborNode) -> Iterator[_Find]:
        """The pictures that one element names."""
        tag, attributes = node.tag or "", node.attributes
        if tag in _IMAGES:
            groups = self._image(node)
        else:
            groups = _named_by(tag, attributes)
            if tag == "a" and is_forum_file(attributes.get("href") or "") and node.css_first("img"):
                groups = [[attributes.get("href") or ""]]
        groups = [group for group in groups if group]
        groups += [list(urls) for urls in css_pictures(attributes.get("style") or "")]
        groups += [list(urls) for urls in css_pictures(node.text())] if tag == "style" else []
        groups += [list(urls) for urls in css_pictures(_sheet_within(attributes))] if tag == "link" else []
        groups += _lazy_backgrounds(tag, attributes)
        groups += _other_pictures(tag, attributes)
        groups += [[url] for url in _behind_renditions(node, attributes)]
        if groups:
            context = self._words.at(node)
            shown = _shown(attributes) if tag in ("img", "amp-img") else None
            yield from (_Find(group, context, shown) for group in groups)

    def _image(self, node: LexborNode) -> list[list[str]]:
        """The addresses of an img with those of the picture element around it.

        Sources that are chosen by type or size show the same picture; one that is chosen by `media` may be
        another cut of it, and stands for itself.
        """
        own: list[Variant] = []
        plain = _addresses(node.attributes, own)
        around = self._sources_around(node)
        by_media = {"": [*own, *around.pop("", ())], **around}
        groups = []
        for media, variants in by_media.items():
            groups.append(list(dict.fromkeys(url for url in (*_ranked(variants), *([] if media else plain)) if url)))
        return groups

    def _sources_around(self, node: LexborNode) -> dict[str, list[Variant]]:
        """What the picture element around an img offers, by `media`; some pages forget to close sources."""
        above = node.parent
        for _ in range(_MOST_SOURCES):
            if above is None or above.tag not in ("source", "picture"):
                return {}
            if above.tag == "picture":
                break
            above = above.parent
        else:
            return {}
        if above.mem_id in self._offered:
            # A second img in it has said so already.
            return {}
        self._offered.add(above.mem_id)
        by_media: dict[str, list[Variant]] = {}
        for source in above.css("source")[:_MOST_SOURCES]:
            _addresses(source.attributes, by_media.setdefault(source.attributes.get("media") or "", []))
        return by_media


def _named_by(tag: str, attributes: dict[str, str | None]) -> list[list[str]]:
    """Groups of addresses of one picture each, best first."""
    named: dict[str, tuple[str, ...]] = {
        "video": ("poster", "data-poster"),
        "amp-video": ("poster",),
        "image": ("href", "xlink:href"),
        "feimage": ("href", "xlink:href"),
        "embed": ("src",),
    }
    if tag in named:
        urls = [attributes.get(name) or "" for name in named[tag]]
        return [[url] for url in urls if url and (tag != "embed" or is_picture_file(url))]
    return _named_rarely(tag, attributes)


def _named_rarely(tag: str, attributes: dict[str, str | None]) -> list[list[str]]:
    """Pictures of elements that mostly name something else."""
    url = ""
    if tag in ("a", "area") and is_picture_file(attributes.get("href") or ""):
        url = attributes.get("href") or ""
    elif tag == "link":
        return [_link(attributes)]
    elif tag == "meta" or "itemprop" in attributes:
        name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
        url = (attributes.get("content") or "") if name.lower() in _META else ""
    elif tag == "input" and (attributes.get("type") or "").lower() == "image":
        url = attributes.get("src") or ""
    elif tag == "object":
        data, stated = attributes.get("data") or "", (attributes.get("type") or "").lower()
        url = data if stated.startswith("image/") or is_picture_file(data) else ""
    return [[url]] if url else []


def _link(attributes: dict[str, str | None]) -> list[str]:
    relations = (attributes.get("rel") or "").lower().split()
    if "image_src" in relations or (attributes.get("itemprop") or "").lower() in _META:
        return [attributes.get("href") or ""]
    if "preload" in relations and (attributes.get("as") or "").lower() == "image":
        return [*_ranked(parse_srcset(attributes.get("imagesrcset") or "")), attributes.get("href") or ""]
    return []


def _addresses(attributes: dict[str, str | None], variants: list[Variant]) -> list[str]:
    """Adds the sets of one element to `variants`; returns its single addresses, the hidden ones first.

    A lazy loader leaves a placeholder in src; its own attribute has the picture.
    """
    for name in ("srcset", *_LAZY_SETS):
        variants += parse_srcset(attributes.get(name) or "")
    # bLazy writes the picture for fine screens behind a bar.
    written = [part for name in (*_LAZY, "src") for part in reversed((attributes.get(name) or "").split("|"))]
    singles = [_with_width(url, attributes) for url in written]
    return [url for url in singles if "{" not in url and not url.startswith("[")]


def _ranked(variants: list[Variant]) -> list[str]:
    """The addresses of a set, those of the most pixels first."""
    return [variant.url for variant in sorted(variants, key=lambda one: one.rank, reverse=True)]


def _sheet_within(attributes: dict[str, str | None]) -> str:
    """The style sheet that a link element holds itself, as a data: address (RFC 2397)."""
    head, _, body = (attributes.get("href") or "").partition(",")
    if not head.lower().startswith("data:text/css"):
        return ""
    try:
        return decoded(head, body).decode(errors="replace")
    except ValueError:
        return ""


def _with_width(url: str, attributes: dict[str, str | None]) -> str:
    """Shopify's pages leave the width to a script, and name the widths there are."""
    widths = re.findall(r"\d{2,5}", attributes.get("data-widths") or "") or ["1080"]
    return url.replace("{width}", max(widths, key=int))


def _other_pictures(tag: str, attributes: dict[str, str | None]) -> Iterator[list[str]]:
    """Pictures in attributes that only the page's own scripts know: the back of a product, a larger view, a gallery."""
    # An element with a hyphen is one of the page's own making, whose attributes may name anything.
    is_image, is_own = tag in _IMAGES, "-" in tag and tag not in _IMAGES
    read_before = (*_LAZY, *_LAZY_SETS) if is_image or tag == "source" else ("data-src", *_LAZY_BACKGROUNDS)
    for name, value in attributes.items():
        is_source = is_image and bool(_ANY_SOURCE.search(name))
        if not value or not (is_source or is_own or name.startswith("data-")):
            continue
        if value.lstrip()[:1] in ("{", "["):
            yield from ([url] for url in pictures_in_json(value))
            continue
        if name in read_before:
            continue
        if is_source and name.endswith("set"):
            yield _ranked(parse_srcset(value))
            continue
        is_named = is_picture_file(value) and (is_image or is_own or "/" in value)
        if is_named or (is_source and value.startswith(("http:", "https:", "/"))):
            yield [value]


def _behind_renditions(node: LexborNode, attributes: dict[str, str | None]) -> Iterator[str]:
    """The uploaded file that an element's JSON names, where the image in it shows a rendition of that: Wix.

    JSON names a.jpg, and the image is /media/a.jpg/fill/w_147/a.jpg: then /media/a.jpg is the file.
    """
    for value in attributes.values():
        if not value or not value.startswith("{") or '"uri"' not in value:
            continue
        names = [name for name in strings_of_json(value) or () if "/" not in name and is_picture_file(name)]
        image = node.css_first("img[src]") if names else None
        shown = (image.attributes.get("src") or "") if image else ""
        yield from (shown.partition(f"/{name}/")[0] + f"/{name}" for name in names if f"/{name}/" in shown)


def _lazy_backgrounds(tag: str, attributes: dict[str, str | None]) -> Iterator[list[str]]:
    """Backgrounds that scripts set later, and the old background attribute."""
    for name in _LAZY_BACKGROUNDS:
        value = attributes.get(name) or ""
        if value.startswith("url(") or "image-set(" in value:
            yield from (list(urls) for urls in css_pictures(value))
            continue
        # lazysizes writes one set for each medium, with a bar between.
        ranked = _ranked([variant for part in value.split("|") for variant in parse_srcset(part)])
        if ranked and (is_picture_file(ranked[0]) or value.startswith(("http:", "https:", "//"))):
            yield ranked
    if tag in _BACKGROUNDS and attributes.get("background"):
        yield [attributes.get("background") or ""]
    if tag not in ("img", "source", "amp-img") and is_picture_file(attributes.get("data-src") or ""):
        yield (attributes.get("data-src") or "").split("|")[::-1]


def _linked_images(thing: dict[str, Any]) -> Iterator[str]:
    """Addresses under the picture properties of one JSON-LD object (schema.org)."""
    names = ["image", "thumbnailUrl", "primaryImageOfPage", "logo", "photo", "thumbnail"]
    if "ImageObject" in str(thing.get("@type")):
        names += ["contentUrl", "url"]
    elif is_picture_file(str(thing.get("contentUrl"))):
        names += ["contentUrl"]
    for name in names:
        value = thing.get(name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str):
                yield part


def _shown(attributes: dict[str, str | None]) -> tuple[int, int] | None:
    """The size in pixels at which the page shows the picture, when it says both sides."""
    sides = [(attributes.get(name) or "").strip().lower().removesuffix("px") for name in ("width", "height")]
    if all(side.isascii() and side.isdecimal() for side in sides):
        return int(sides[0][:6]), int(sides[1][:6])
    return None
