"""Finds every picture on a page, however it is written: each once, with all its URLs and its context."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.extract.attributes import (
    IMAGES,
    OtherPicture,
    background_pictures,
    embedded_markup,
    image_sources,
    originals_in_json,
    other_pictures,
    own_pictures,
    shown_size,
)
from guardian.extract.css import css_pictures
from guardian.extract.data_urls import is_data_url
from guardian.extract.grouping import ImageGrouping
from guardian.extract.html_complexity import is_simple_html
from guardian.extract.image_context import PageWords, is_linked_data, linked_data, shortened
from guardian.extract.links import base_of
from guardian.extract.referrers import read_policy
from guardian.extract.scripts import is_picture_file, linked_images, pictures_in_script
from guardian.extract.srcset import Variant, largest_first
from guardian.model import Context, PageImage, ReferrerPolicy, Response, Skipped, SkipReason
from guardian.urls.addresses import resolve_url
from guardian.urls.rendition_names import are_renditions
from guardian.urls.renditions import is_forum_file

SMALLEST_SIDE = 32
"""Pixels; a picture that its page shows smaller in both directions is an icon or a counter."""

_MOST_ADDRESSES = 20_000
_MOST_SOURCES = 64
_MOST_INNER_PAGES = 100
_LONGEST_INNER_PAGE = 1_000_000
_TEMPLATE_SCRIPTS = 'script[type*="template" i], script[type="text/html" i]'
_LINK_ABOVE = 4
"""How many elements above a picture the link around it may be."""


@dataclass(slots=True)
class _Find:
    """A mention of a picture: its URLs as the page writes them, best first; `shown` is its size there in pixels.

    `policy`: what the request for it may tell of the page; None means what those for all pictures may.
    """

    urls: list[str]
    context: Context
    shown: tuple[int, int] | None = None
    policy: ReferrerPolicy | None = None


def images_on_page(tree: LexborHTMLParser, response: Response) -> list[PageImage | Skipped]:
    """Return the pictures of a page in its order, then a Skipped for everything that is no picture to fetch.

    Renditions of one picture are one PageImage: `image_url` is the largest, `also_at` the others.
    """
    page, grouping, named = _Page(tree, response), ImageGrouping(response.final_url), 0
    for find in page.finds():
        named += len(find.urls)
        if named > _MOST_ADDRESSES:
            grouping.leave_out(page.url, SkipReason.BUDGET, f"more than {_MOST_ADDRESSES} addresses on one page")
            break

        addresses = [url for raw in find.urls if (url := grouping.address(page.base, raw))]
        # Beside a URL that can be fetched, a data: URL is only a placeholder.
        if not addresses:
            for url in filter(is_data_url, find.urls):
                grouping.add_inline(url, find.context)

        if find.shown and max(find.shown) < SMALLEST_SIDE and len(addresses) == 1:
            grouping.leave_out(addresses[0], SkipReason.TOO_SMALL, f"shown at {find.shown[0]}x{find.shown[1]} pixels")
        elif addresses:
            grouping.add(addresses, find.context, find.policy)

    if page.passed_over:
        grouping.leave_out(page.url, SkipReason.BUDGET, page.passed_over)
    return grouping.all()


class _Page:
    """One parsed page, with the templates and frames within it, which are parsed as documents of their own."""

    def __init__(self, tree: LexborHTMLParser, response: Response) -> None:
        self.url = response.final_url
        self._trees = [tree]
        self._links_of_one = dict[int, bool]()
        self.passed_over = ""
        self._words = PageWords(tree, response)
        self._offered = set[int]()
        self.base = base_of(tree, response)

    def finds(self) -> Iterator[_Find]:
        """Yield everything that names a picture, in the order of the page, then what its scripts and JSON-LD name."""
        for tree in self._trees:
            # The loop reaches the trees that it adds, so templates within templates are read too.
            for template in tree.css("template"):
                self._add_inner(re.sub(r"^<template[^>]*>|</template>$", "", template.html or ""))
            for script in tree.css(_TEMPLATE_SCRIPTS):
                self._add_inner(script.text())
            for node in tree.root.traverse() if tree.root else ():
                yield from self._at(node)

        for thing in linked_data(self._trees[0]):
            context = self._context_of(thing)
            yield from (_Find([url], context) for url in linked_images(thing))

        for tree in self._trees:
            for script in tree.css("script:not([src])"):
                if not is_linked_data(script):
                    yield from (_Find([url], self._words.of_page) for url in pictures_in_script(script.text()))

    def _context_of(self, thing: dict[str, Any]) -> Context:
        """Return the context of the pictures that a JSON-LD object names."""
        caption = thing.get("caption") if "ImageObject" in str(thing.get("@type")) else None
        return replace(self._words.of_page, caption=shortened(caption) if isinstance(caption, str) else None)

    def _add_inner(self, html: str) -> None:
        """Parse a template or a frame's document to be read with the page, unless it is complex or one too many."""
        if len(self._trees) > _MOST_INNER_PAGES:
            self.passed_over = f"more than {_MOST_INNER_PAGES} templates and frames in one page"
        elif len(html) > _LONGEST_INNER_PAGE or not is_simple_html(html.encode(errors="replace")):
            self.passed_over = "a template or frame of odd HTML"
        else:
            self._trees.append(LexborHTMLParser(html))

    def _at(self, node: LexborNode) -> Iterator[_Find]:
        """Yield the pictures that one element names."""
        tag, attributes = (node.tag or "").lower(), node.attributes
        for html in embedded_markup(tag, attributes):
            self._add_inner(html)

        if tag in IMAGES:
            groups = self._image(node)
        elif tag == "picture" and not node.css_first(", ".join(IMAGES)):
            groups = self._sources_alone(node)
        else:
            groups = own_pictures(tag, attributes)
            if tag == "a" and is_forum_file(attributes.get("href") or "") and node.css_first("img"):
                groups = [[attributes.get("href") or ""]]

        groups = [group for group in groups if group]
        for other in (*background_pictures(tag, attributes), *other_pictures(tag, attributes)):
            self._put(other, groups)
        groups += [[url] for url in originals_in_json(node, attributes)]
        groups += self._in_styles(node, tag, is_image_with_url=bool(groups) and tag in IMAGES)

        if groups:
            context = self._words.at(node)
            shown = shown_size(attributes) if tag in ("img", "amp-img") else None
            policy = read_policy(attributes.get("referrerpolicy"))
            yield from (_Find(group, context, shown, policy) for group in groups)

    def _in_styles(self, node: LexborNode, tag: str, is_image_with_url: bool) -> list[list[str]]:
        """Return the pictures in the style attribute of an element, and in the text of a style element."""
        pictures = css_pictures(node.attributes.get("style") or "")
        if tag == "style":
            pictures += css_pictures(node.text())
        if is_image_with_url:
            # A data: URL in the style of an image is a blurred preview, seen until the image has come.
            pictures = [urls for urls in pictures if not is_data_url(urls[0])]
        return [list(urls) for urls in pictures]

    def _put(self, other: OtherPicture, groups: list[list[str]]) -> None:
        """Add another picture of one element: to the group that it is a rendition of, or as a group of its own."""
        same = next((group for group in groups if self._are_renditions(other.urls[0], group[0])), None)
        if same is None:
            groups.append(other.urls)
        elif other.is_larger:
            same[:0] = other.urls
        else:
            same += other.urls

    def _are_renditions(self, one: str, other: str, is_link: bool = False) -> bool:
        """Return whether two URLs, as the page writes them, are renditions of one picture."""
        first, second = resolve_url(self.base, one.strip()), resolve_url(self.base, other.strip())
        return bool(first and second) and are_renditions(first or "", second or "", is_link)

    def _image(self, node: LexborNode) -> list[list[str]]:
        """Return the URLs of an img with those of the picture element around it, and of the link around both.

        Sources that are chosen by type or size show the same picture. One that is chosen by `media` may be cropped
        in another way (art direction), so it is a group of its own unless its name says that it is a rendition.
        """
        own, urls_alone = image_sources(node.attributes)
        by_media = self._sources_around(node)
        unconditional = [*own, *by_media.pop("", ())]
        groups = [[*largest_first(unconditional), *urls_alone]] if unconditional or urls_alone else []
        for variants in by_media.values():
            if urls := largest_first(variants):
                self._put(OtherPicture(urls), groups)

        # Galleries link the small picture to the large one.
        link = self._link_around(node) if groups else ""
        if link and (is_forum_file(link) or any(self._are_renditions(link, url, True) for url in groups[0])):
            groups[0].insert(0, link)
        return [list(dict.fromkeys(url for url in group if url)) for group in groups]

    def _link_around(self, node: LexborNode) -> str:
        """Return where a link around one picture alone leads; galleries that open it by a script name it beside."""
        above = node.parent
        for _ in range(_LINK_ABOVE):
            if above is None or above.tag == "a":
                break
            above = above.parent
        if above is None or above.tag != "a":
            return ""

        # A link around several pictures leads to none of them in particular.
        if above.mem_id not in self._links_of_one:
            self._links_of_one[above.mem_id] = len(above.css("img, amp-img")) == 1
        href, beside = above.attributes.get("href") or "", above.attributes.get("data-src") or ""
        link = beside if is_picture_file(beside) and not is_picture_file(href) else href
        return link if self._links_of_one[above.mem_id] else ""

    def _sources_around(self, node: LexborNode) -> dict[str, list[Variant]]:
        """Return what the picture element around an img offers, by `media`; empty without one."""
        above = node.parent
        # Some pages forget to close their sources, which then nest: <source><source><img>.
        for _ in range(_MOST_SOURCES):
            if above is None or above.tag not in ("source", "picture"):
                return {}
            if above.tag == "picture":
                break
            above = above.parent
        else:
            return {}

        if above.mem_id in self._offered:
            # Another img in the same picture element has taken them.
            return {}
        self._offered.add(above.mem_id)
        return self._sources(above)

    def _sources(self, picture: LexborNode) -> dict[str, list[Variant]]:
        """Return the images that the sources of a picture element offer, by their media query ("" for none)."""
        by_media: dict[str, list[Variant]] = {}
        for source in picture.css("source")[:_MOST_SOURCES]:
            variants, _ = image_sources(source.attributes)
            by_media.setdefault(source.attributes.get("media") or "", []).extend(variants)
        return by_media

    def _sources_alone(self, picture: LexborNode) -> list[list[str]]:
        """Return the pictures of a picture element without an img, which a script adds later."""
        groups: list[list[str]] = []
        for variants in self._sources(picture).values():
            if urls := largest_first(variants):
                self._put(OtherPicture(urls), groups)
        return groups
