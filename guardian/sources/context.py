"""The words around a picture on its page, as a lawyer wants them: captions, titles, claims."""

import json
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.model import Context

_LONGEST = 500
_CLAIMS = ("license", "acquireLicensePage", "creditText", "copyrightNotice", "creator", "author", "copyrightHolder")
_MAX_DEPTH = 32


def words_at(node: LexborNode, page_title: str | None, claims: str | None) -> Context:
    """What the page says at this element."""
    attributes = node.attributes
    return Context(
        alt=shortened(attributes.get("alt")),
        caption=_caption(node),
        title=shortened(attributes.get("title")),
        page_title=page_title,
        nearby_text=_nearby(node),
        claims=claims,
    )


def page_words(tree: LexborHTMLParser) -> tuple[str | None, str | None]:
    """The page's title, and what it claims about authors and licences (meta elements and JSON-LD)."""
    title = tree.css_first("title")
    found = []
    for node in tree.css("meta[name], meta[property], link[rel~=license], a[rel~=license]"):
        attributes = node.attributes
        name = (attributes.get("name") or attributes.get("property") or "licence").lower()
        if name in ("author", "copyright", "rights", "licence", "dc.rights", "dc.creator", "dcterms.license", "robots"):
            value = attributes.get("content") or attributes.get("href") or ""
            if name != "robots" or "noimageindex" in value.lower():
                found.append(f"{name}: {value}")
    for thing in linked_data(tree):
        found += [f"{key}: {_name(thing[key])}" for key in _CLAIMS if thing.get(key)]
    claims = "; ".join(dict.fromkeys(" ".join(claim.split()) for claim in found))
    return shortened(title.text() if title else None), shortened(claims)


def linked_data(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """Every object of the page's JSON-LD, nested ones too. What is not JSON is passed over, as search engines do."""
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            yield from _objects(json.loads(script.text()), 0)
        except (ValueError, RecursionError):
            continue


def _objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in inner:
        yield from _objects(part, depth + 1)


def shortened(text: str | None) -> str | None:
    """One line of at most 500 printable characters; None when nothing is left."""
    if not text:
        return None
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return (line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…") or None


def _caption(node: LexborNode) -> str | None:
    for ancestor in _ancestors(node, 4):
        if ancestor.tag in ("figure", "amp-story-page") or "caption" in (ancestor.attributes.get("class") or ""):
            found = ancestor.css_first("figcaption, .wp-caption-text, .caption, .thumbcaption")
            return shortened(found.text(separator=" ")) if found else None
    return None


def _nearby(node: LexborNode) -> str | None:
    """The text of the closest ancestor that has some, if it is short enough to belong to this picture."""
    for ancestor in _ancestors(node, 3):
        if ancestor.tag in ("body", "html", "head", "main"):
            return None
        text = shortened(ancestor.text(separator=" "))
        if text:
            return text
    return None


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
