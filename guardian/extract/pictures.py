"""Every picture that a page carries, however it is written, each once with all its addresses and its words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.extract.attributes import (
    IMAGES,
    Other,
    behind_renditions,
    lazy_backgrounds,
    markup_in,
    named_by,
    other_pictures,
    sets_and_singles,
    shown_size,
)
from guardian.extract.css import css_pictures
from guardian.extract.data_urls import is_data_url
from guardian.extract.grouping import ImageGrouping
from guardian.extract.html_complexity import is_simple_html
from guardian.extract.image_context import PageWords, is_linked_data, linked_data, shortened
from guardian.extract.links import base_of
from guardian.extract.scripts import is_picture_file, linked_images, pictures_in_script
from guardian.extract.srcset import Variant, ranked
from guardian.model import Context, PageImage, Response, Skipped, SkipReason
from guardian.urls.addresses import joined
from guardian.urls.rendition_names import are_renditions
from guardian.urls.renditions import is_forum_file

SMALLEST_SIDE = 32
"""Pixels; a picture that its page shows smaller in both directions is an icon or a counter."""

_MOST_ADDRESSES = 20_000
_MOST_SOURCES = 64
_MOST_INNER_PAGES = 100
_LONGEST_INNER_PAGE = 1_000_000
_LINK_ABOVE = 4
"""Elements between a picture and the link around it."""


@dataclass(slots=True)
class _Find:
    """One picture of the page: its addresses, best first, as the page writes them."""

    urls: list[str]
    context: Context
    shown: tuple[int, int] | None = None


def images_on_page(tree: LexborHTMLParser, response: Response) -> list[PageImage | Skipped]:
    """Return what a page shows, in its order. A Skipped names each thing that is no picture to fetch, and why.

    Renditions of one picture are one PageImage: `image_url` is the largest, `also_at` the others.
    """
    page, grouping, named = _Page(tree, response), ImageGrouping(response.final_url), 0
    for find in page.finds():
        named += len(find.urls)
        if named > _MOST_ADDRESSES:
            grouping.leave_out(page.url, SkipReason.BUDGET, f"more than {_MOST_ADDRESSES} addresses on one page")
            break
        addresses = [url for raw in find.urls if (url := grouping.address(page.base, raw))]
        # Beside an address of its own, what is written into the page only holds the picture's place.
        for url in () if addresses else filter(is_data_url, find.urls):
            grouping.add_inside(url, find.context)
        if find.shown and max(find.shown) < SMALLEST_SIDE and len(addresses) == 1:
            grouping.leave_out(addresses[0], SkipReason.TOO_SMALL, f"shown at {find.shown[0]}x{find.shown[1]} pixels")
        elif addresses:
            grouping.add(addresses, find.context)
    if page.passed_over:
        grouping.leave_out(page.url, SkipReason.BUDGET, page.passed_over)
    return grouping.all()


class _Page:
    """One parsed page."""

    def __init__(self, tree: LexborHTMLParser, response: Response) -> None:
        self.url = response.final_url
        self._trees = [tree]
        self._links_of_one = dict[int, bool]()
        self.passed_over = ""
        self._words = PageWords(tree, response)
        self._offered = set[int]()
        self.base = base_of(tree, response)

    def finds(self) -> Iterator[_Find]:
        """Everything that names a picture, in the order of the page, then what its scripts and JSON-LD name."""
        for tree in self._trees:
            # What stands in a template, which may hold others, is a document of its own.
            for template in tree.css("template"):
                self._add_inner(re.sub(r"^<template[^>]*>|</template>$", "", template.html or ""))
            for node in tree.root.traverse() if tree.root else ():
                yield from self._at(node)
        for thing in linked_data(self._trees[0]):
            words = self._words_of(thing)
            yield from (_Find([url], words) for url in linked_images(thing))
        for tree in self._trees:
            for script in tree.css("script:not([src])"):
                if not is_linked_data(script):
                    yield from (_Find([url], self._words.of_page) for url in pictures_in_script(script.text()))

    def _words_of(self, thing: dict[str, Any]) -> Context:
        caption = thing.get("caption") if "ImageObject" in str(thing.get("@type")) else None
        return replace(self._words.of_page, caption=shortened(caption) if isinstance(caption, str) else None)

    def _add_inner(self, html: str) -> None:
        """A page within the page: read with it, unless it is odd or there are too many."""
        if len(self._trees) > _MOST_INNER_PAGES:
            self.passed_over = f"more than {_MOST_INNER_PAGES} templates and frames in one page"
        elif len(html) > _LONGEST_INNER_PAGE or not is_simple_html(html.encode(errors="replace")):
            self.passed_over = "a template or frame of odd HTML"
        else:
            self._trees.append(LexborHTMLParser(html))

    def _at(self, node: LexborNode) -> Iterator[_Find]:
        """The pictures that one element names."""
        tag, attributes = (node.tag or "").lower(), node.attributes
        for html in markup_in(tag, attributes):
            self._add_inner(html)
        if tag in IMAGES:
            groups = self._image(node)
        elif tag == "picture" and not node.css_first(", ".join(IMAGES)):
            groups = self._sources_alone(node)
        else:
            groups = named_by(tag, attributes)
            if tag == "a" and is_forum_file(attributes.get("href") or "") and node.css_first("img"):
                groups = [[attributes.get("href") or ""]]
        groups = [group for group in groups if group]
        for other in (*lazy_backgrounds(tag, attributes), *other_pictures(tag, attributes)):
            self._put(other, groups)
        groups += [[url] for url in behind_renditions(node, attributes)]
        styles = css_pictures(attributes.get("style") or "") + (css_pictures(node.text()) if tag == "style" else [])
        # What is written into the style of a picture is blurred, and seen until the picture has come.
        groups += [list(urls) for urls in styles if not (groups and tag in IMAGES and is_data_url(urls[0]))]
        if groups:
            context = self._words.at(node)
            shown = shown_size(attributes) if tag in ("img", "amp-img") else None
            yield from (_Find(group, context, shown) for group in groups)

    def _put(self, other: Other, groups: list[list[str]]) -> None:
        """Another picture of one element: beside what it is a rendition of, or for itself."""
        same = next((group for group in groups if self._are_akin(other.urls[0], group[0])), None)
        if same is None:
            groups.append(other.urls)
        elif other.is_larger:
            same[:0] = other.urls
        else:
            same += other.urls

    def _are_akin(self, one: str, other: str, is_link: bool = False) -> bool:
        whole, other_whole = (joined(self.base, url.strip()) for url in (one, other))
        return bool(whole and other_whole) and are_renditions(whole or "", other_whole or "", is_link)

    def _image(self, node: LexborNode) -> list[list[str]]:
        """The addresses of an img with those of the picture element around it, and of the link around both.

        Sources that are chosen by type or size show the same picture. One that is chosen by `media` may be
        another cut of it, and stands for itself unless its name says that it is not.
        """
        own: list[Variant] = []
        plain = sets_and_singles(node.attributes, own)
        by_media = self._sources_around(node)
        unconditional = [*own, *by_media.pop("", ())]
        groups = [[*ranked(unconditional), *plain]] if unconditional or plain else []
        for variants in by_media.values():
            if urls := ranked(variants):
                self._put(Other(urls), groups)
        link = self._link_around(node) if groups else ""
        if link and (is_forum_file(link) or any(self._are_akin(link, url, True) for url in groups[0])):
            groups[0].insert(0, link)
        return [list(dict.fromkeys(url for url in group if url)) for group in groups]

    def _link_around(self, node: LexborNode) -> str:
        """Where a link around one picture alone leads; galleries that open it by a script name it beside that."""
        above = node.parent
        for _ in range(_LINK_ABOVE):
            if above is None or above.tag == "a":
                break
            above = above.parent
        if above is None or above.tag != "a":
            return ""
        if above.mem_id not in self._links_of_one:
            self._links_of_one[above.mem_id] = len(above.css("img, amp-img")) == 1
        href, beside = above.attributes.get("href") or "", above.attributes.get("data-src") or ""
        link = beside if is_picture_file(beside) and not is_picture_file(href) else href
        return link if self._links_of_one[above.mem_id] else ""

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
        return self._sources(above)

    def _sources(self, picture: LexborNode) -> dict[str, list[Variant]]:
        by_media: dict[str, list[Variant]] = {}
        for source in picture.css("source")[:_MOST_SOURCES]:
            sets_and_singles(source.attributes, by_media.setdefault(source.attributes.get("media") or "", []))
        return by_media

    def _sources_alone(self, picture: LexborNode) -> list[list[str]]:
        """For a picture element whose img comes later, by a script."""
        groups: list[list[str]] = []
        for variants in self._sources(picture).values():
            if urls := ranked(variants):
                self._put(Other(urls), groups)
        return groups
