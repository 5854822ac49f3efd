"""The words around a picture on its page, as a lawyer wants them: captions, titles, claims."""

import json
import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.model import Context, Response

_LONGEST = 500
_CLAIMS = ("license", "acquireLicensePage", "creditText", "copyrightNotice", "creator", "author", "copyrightHolder")
_MAX_DEPTH = 32
_MOST_CLAIMS = 50
_FURTHEST = 200
"""Nodes below an element that are searched for its first words."""

_FEW = 6
_FIGURE = re.compile(r"^(?:figure|amp-story-page)\b|caption")
_CAPTION_CLASSES = frozenset(["wp-caption-text", "caption", "thumbcaption", "gallerytext"])
_COMMENT_MARKS = re.compile(r"^\s*+(?:<!--|(?://|/\*)?\s?<!\[CDATA\[(?:\*/)?)|(?:-->|(?://|/\*)?\s?\]\]>(?:\*/)?)\s*+$")
_CAPTIONS = ", ".join(["figcaption", *sorted(f".{name}" for name in _CAPTION_CLASSES)])
_PICTURES = frozenset(["img", "amp-img", "amp-anim", "picture", "video", "amp-video"])
_WORDLESS = frozenset(["script", "style", "noscript", "template", "head", "select", "svg", "-comment"])


class PageWords:
    """The words of one page. Each element's text is read once and no further than needed, however often it is asked."""

    def __init__(self, tree: LexborHTMLParser, response: Response) -> None:
        self._title, self._claims = _title_and_claims(tree, response)
        self._texts: dict[int, str | None] = {}
        self._with_picture = set[int]()
        self._captions: dict[int, str | None] = {}
        self.of_page = Context(page_title=self._title, claims=self._claims)

    def at(self, node: LexborNode) -> Context:
        """Return what the page says at this element."""
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
        """Return the caption of the figure around the picture; of several the one that follows it, or stands before it."""
        branch = node
        for ancestor in _ancestors(node, 4):
            names = f"{ancestor.tag} {ancestor.attributes.get('class') or ''}"
            if _FIGURE.search(names):
                beside = next((near for near in _beside_both(branch) if _is_caption(near)), None)
                return self._text(beside) if beside else self._caption_in(ancestor)
            branch = ancestor
        return None

    def _caption_in(self, figure: LexborNode) -> str | None:
        name = figure.mem_id
        if name not in self._captions:
            found = figure.css_first(_CAPTIONS)
            self._captions[name] = self._text(found) if found else None
        return self._captions[name]

    def _nearby(self, node: LexborNode) -> str | None:
        """Return the text that stands beside the picture, or else beside what it stands in."""
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
        """Return the closest text before or after an element, up to where another picture begins."""
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
        name = node.mem_id
        if name not in self._texts:
            self._texts[name], has_picture = _beginning(node)
            if has_picture:
                self._with_picture.add(name)
        return self._texts[name]


def _title_and_claims(tree: LexborHTMLParser, response: Response) -> tuple[str | None, str | None]:
    """Return the page's title, and what it claims about authors, licences and use (headers, meta elements, JSON-LD)."""
    title = tree.css_first("title")
    wish = response.whole_header("x-robots-tag")
    found = [f"X-Robots-Tag: {wish}"] if "image" in wish.lower() else []
    for node in tree.css("meta[name], meta[property], link[rel~=license], a[rel~=license]"):
        attributes = node.attributes
        name = (attributes.get("name") or attributes.get("property") or "licence").lower()
        if name in ("author", "copyright", "rights", "licence", "dc.rights", "dc.creator", "dcterms.license", "robots"):
            value = attributes.get("content") or attributes.get("href") or ""
            if name != "robots" or "noimageindex" in value.lower():
                found.append(f"{name}: {value}")
    for thing in linked_data(tree):
        found += [f"{key}: {_name(thing[key])}" for key in _CLAIMS if thing.get(key)]
    claims = "; ".join(dict.fromkeys(" ".join(claim[:_LONGEST].split()) for claim in found[:_MOST_CLAIMS]))
    return shortened(title.text() if title else None), shortened(claims)


def linked_data(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """Yield every object of the page's JSON-LD, nested ones too. What is not JSON is passed over."""
    for script in tree.css('script[type*="ld+json" i]'):
        yield from _objects(_read(script), 0)


def is_linked_data(script: LexborNode) -> bool:
    """Return whether a script is JSON-LD that can be read; what cannot is text like that of any script."""
    return "ld+json" in (script.attributes.get("type") or "").lower() and _read(script) is not None


def _read(script: LexborNode) -> Any:
    """Return the JSON of a script, line breaks within strings and comment marks around it forgiven; None when it is none."""
    try:
        return json.loads(_COMMENT_MARKS.sub("", script.text()), strict=False)
    except (ValueError, RecursionError):
        return None


def _objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in inner:
        yield from _objects(part, depth + 1)


def shortened(text: str | None) -> str | None:
    """Return one line of at most 500 printable characters; None when nothing is left."""
    if not text:
        return None
    text = text[: _LONGEST * 8]
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return (line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…") or None


def _beginning(node: LexborNode) -> tuple[str | None, bool]:
    """Return the first words below an element, up to a picture, scripts and styles left out; and whether a picture came."""
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
    """Yield the next few elements and texts after an element, or before it, the closest first."""
    at = node.next if after else node.prev
    for _ in range(_FEW):
        if at is None:
            return
        if at.tag not in _WORDLESS:
            yield at
        at = at.next if after else at.prev


def _beside_both(node: LexborNode) -> Iterator[LexborNode]:
    yield from _beside(node, True)
    yield from _beside(node, False)


def _is_caption(node: LexborNode) -> bool:
    if not node.is_element_node:
        return False
    return node.tag == "figcaption" or not _CAPTION_CLASSES.isdisjoint((node.attributes.get("class") or "").split())


def _ancestors(node: LexborNode, most: int) -> Iterator[LexborNode]:
    above = node.parent
    while above is not None and most:
        yield above
        above, most = above.parent, most - 1


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or value.get("url") or value.get("@id") or ""
    if isinstance(value, list):
        return ", ".join(_name(part) for part in value[:5])
    return str(value)
