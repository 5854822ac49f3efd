"""Reads the text around a picture on its page: alternative text, caption, titles, and claims about rights.

A case shows it as evidence of what the page said about the picture.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.model import Context, Response

_LONGEST = 500
"""Characters of one text."""

_CLAIMS = ("license", "acquireLicensePage", "creditText", "copyrightNotice", "creator", "author", "copyrightHolder")
_MAX_DEPTH = 32
_MOST_CLAIMS = 50
_FURTHEST = 200
"""Nodes below an element that are searched for its first words."""

_SIBLINGS = 6
"""Siblings of an element that are searched on each side."""

_FIGURE = re.compile(r"^(?:figure|amp-story-page)\b|caption")
_CAPTION_CLASSES = frozenset(["wp-caption-text", "caption", "thumbcaption", "gallerytext"])
# Comment and CDATA marks that old pages put around scripts.
_COMMENT_MARKS = re.compile(r"^\s*+(?:<!--|(?://|/\*)?\s?<!\[CDATA\[(?:\*/)?)|(?:-->|(?://|/\*)?\s?\]\]>(?:\*/)?)\s*+$")
_CAPTIONS = ", ".join(["figcaption", *sorted(f".{name}" for name in _CAPTION_CLASSES)])
_PICTURES = frozenset(["img", "amp-img", "amp-anim", "picture", "video", "amp-video"])
_WORDLESS = frozenset(["script", "style", "noscript", "template", "head", "select", "svg", "-comment"])


class PageWords:
    """The text of one page. Each element is read once and no further than needed, whatever number of pictures ask."""

    def __init__(self, tree: LexborHTMLParser, response: Response) -> None:
        self._title, self._claims = _title_and_claims(tree, response)
        self._texts: dict[int, str | None] = {}
        self._with_picture = set[int]()
        self._captions: dict[int, str | None] = {}
        self.of_page = Context(page_title=self._title, claims=self._claims)

    def at(self, node: LexborNode) -> Context:
        """Return what the page says about the picture in an element."""
        attributes = node.attributes
        is_drawn = attributes.get("role") == "img"
        return Context(
            alt=shortened(attributes.get("alt") or (attributes.get("aria-label") if is_drawn else None)),
            caption=self._caption(node),
            title=shortened(attributes.get("title")),
            page_title=self._title,
            nearby_text=self._nearby(node),
            claims=self._claims,
        )

    def _caption(self, node: LexborNode) -> str | None:
        """Return the caption of the figure around a picture; of several captions the one beside the picture."""
        branch = node
        for ancestor in _ancestors(node, 4):
            names = f"{ancestor.tag} {ancestor.attributes.get('class') or ''}"
            if _FIGURE.search(names):
                beside = next((near for near in _beside_both(branch) if _is_caption(near)), None)
                return self._text(beside) if beside else self._caption_in(ancestor)
            branch = ancestor
        return None

    def _caption_in(self, figure: LexborNode) -> str | None:
        # A gallery asks for the same figure with each of its pictures.
        name = figure.mem_id
        if name not in self._captions:
            found = figure.css_first(_CAPTIONS)
            self._captions[name] = self._text(found) if found else None
        return self._captions[name]

    def _nearby(self, node: LexborNode) -> str | None:
        """Return the text before and after a picture, or else that around the element it stands in."""
        branch = node
        for ancestor in _ancestors(node, 4):
            if ancestor.tag in ("head", "html"):
                return None

            near = [self._text_beside(branch, after) for after in (False, True)]
            if any(near):
                return shortened(" … ".join(text for text in near if text))
            branch = ancestor
        return None

    def _text_beside(self, branch: LexborNode, after: bool) -> str | None:
        """Return the closest text before or after an element, up to the next picture, whose text it may be."""
        for near in _beside(branch, after):
            if near.tag in _PICTURES:
                continue
            text = self._text(near)
            if near.mem_id in self._with_picture:
                return text if after else None
            if text:
                return text
        return None

    def _text(self, node: LexborNode) -> str | None:
        """Return the first text in an element. Notes whether a picture follows it there."""
        name = node.mem_id
        if name not in self._texts:
            self._texts[name], has_picture = _beginning(node)
            if has_picture:
                self._with_picture.add(name)
        return self._texts[name]


def _title_and_claims(tree: LexborHTMLParser, response: Response) -> tuple[str | None, str | None]:
    """Return a page's title, and its claims about authors, licences and use (headers, meta elements, JSON-LD)."""
    title = tree.css_first("title")
    wish = response.whole_header("x-robots-tag")
    found = [f"X-Robots-Tag: {wish}"] if "image" in wish.lower() else []

    for node in tree.css("meta[name], meta[property], link[rel~=license], a[rel~=license]"):
        attributes = node.attributes
        name = (attributes.get("name") or attributes.get("property") or "licence").lower()
        if name in ("author", "copyright", "rights", "licence", "dc.rights", "dc.creator", "dcterms.license", "robots"):
            value = attributes.get("content") or attributes.get("href") or ""
            # Of the wishes to robots only the one about images is a claim.
            if name != "robots" or "noimageindex" in value.lower():
                found.append(f"{name}: {value}")
    for thing in linked_data(tree):
        found += [f"{key}: {_name(thing[key])}" for key in _CLAIMS if thing.get(key)]

    claims = "; ".join(dict.fromkeys(" ".join(claim[:_LONGEST].split()) for claim in found[:_MOST_CLAIMS]))
    return shortened(title.text() if title else None), shortened(claims)


def linked_data(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """Yield every object of a page's JSON-LD, nested ones too. Scripts that are not JSON are passed over."""
    for script in tree.css('script[type*="ld+json" i]'):
        yield from _objects(_parsed_json(script), 0)


def is_linked_data(script: LexborNode) -> bool:
    """Return whether a script is JSON-LD that can be parsed. What cannot is searched like any other script."""
    return "ld+json" in (script.attributes.get("type") or "").lower() and _parsed_json(script) is not None


def _parsed_json(script: LexborNode) -> Any:
    """Return the value of a script that holds JSON; None when it cannot be parsed.

    Line breaks within strings and comment marks around the whole are forgiven, since many pages have them.
    """
    try:
        return json.loads(_COMMENT_MARKS.sub("", script.text()), strict=False)
    except (ValueError, RecursionError):
        return None


def _objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON value, outer ones first, down to a bounded depth."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in inner:
        yield from _objects(part, depth + 1)


def shortened(text: str | None) -> str | None:
    """Return a text as one line of at most 500 printable characters; None when nothing is left of it."""
    if not text:
        return None
    # Cut first: a page may hold megabytes between two tags.
    text = text[: _LONGEST * 8]
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return (line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…") or None


def _beginning(node: LexborNode) -> tuple[str | None, bool]:
    """Return the first text below an element, and whether it ended because a picture follows.

    The text of scripts, styles and the like is left out.
    """
    parts: list[str] = []
    length = 0
    for seen, part in enumerate(node.traverse(include_text=True)):
        if part.tag in _PICTURES:
            return shortened(" ".join(parts)), True

        if part.is_text_node and (part.parent is None or part.parent.tag not in _WORDLESS):
            text = (part.text_content or "")[: _LONGEST * 2].strip()
            parts += [text] if text else []
            length += len(text)
        if length > _LONGEST or seen > _FURTHEST:
            break
    return shortened(" ".join(parts)), False


def _beside(node: LexborNode, after: bool) -> Iterator[LexborNode]:
    """Yield the next few siblings after an element, or before it, the closest first; without scripts and the like."""
    at = node.next if after else node.prev
    for _ in range(_SIBLINGS):
        if at is None:
            return
        if at.tag not in _WORDLESS:
            yield at
        at = at.next if after else at.prev


def _beside_both(node: LexborNode) -> Iterator[LexborNode]:
    # Most captions follow their picture.
    yield from _beside(node, True)
    yield from _beside(node, False)


def _is_caption(node: LexborNode) -> bool:
    if not node.is_element_node:
        return False
    return node.tag == "figcaption" or not _CAPTION_CLASSES.isdisjoint((node.attributes.get("class") or "").split())


def _ancestors(node: LexborNode, most: int) -> Iterator[LexborNode]:
    """Yield the parent of an element, then that one's, at most `most`."""
    above = node.parent
    while above is not None and most:
        yield above
        above, most = above.parent, most - 1


def _name(value: Any) -> str:
    """Return a JSON-LD value as text: the name of an object, or the names of a list's first five."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("url") or value.get("@id") or ""
    if isinstance(value, list):
        return ", ".join(_name(part) for part in value[:5])
    return str(value)
