"""Finds the pictures that a page's scripts name, and those in the JSON that a page hands to them."""

import json
import re
from collections.abc import Iterator
from typing import Any

_PICTURE_FILE = re.compile(r"\.(?:jpe?g|jfif|png|webp|avif|gif|bmp|tiff?|heic|jxl)$", re.IGNORECASE)
_SHORTEST_NAME = len("/.jpg")
# Possessive, so that no script costs more than one pass. A script within a script has two or more backslashes for
# one, and what stands in braces is a template for a script to fill in.
_WHOLE = re.compile(
    r"""https?:(?:\\{0,3}/|\\{1,3}u002f){2}(?:[^\s"'<>\\{}]|\\{1,3}/|\\{1,3}u[0-9a-f]{4})++(?![{}])""", re.IGNORECASE
)
_NEXT_ADDRESS = re.compile(r"[,;|](?=https?:)", re.IGNORECASE)
_NAME_BEFORE = re.compile(r"""(\w+)\\?["']?\s?:\s?\\?["']$""")
_LONGEST_NAME = 50
# A string that begins at the site's root and is nothing but a path; patterns and templates have other signs.
_FROM_ROOT = re.compile(r"""["'](\\?/(?:[^\s"'<>\\`${}()\[\]*:;|]|\\/|\\u0026)++)(?=\\*["'])""")
# A picture of Wix by its bare name, which its scripts look up at one address.
_OF_WIX = re.compile(
    r"(?:(?<=[\"'])|(?<=wix:image://v1/))([0-9a-z]{4,10}_[0-9a-f]{32}~mv2\w{0,40}\.[a-z]{3,4})(?=[\\\"'/])"
)
_MEDIA_OF_WIX = "https://static.wixstatic.com/media/"
_LITERAL = re.compile(r"""(['"`])([^'"`<>\s]{5,2000})\1""")
# Filled in by a script on the server or in the browser, and no address before that.
_PLACEHOLDERS = ("{{", "}}", "<%", "${", "%7b%7b", "[[")
_LARGE = re.compile(r"full|large|orig|zoom|big|hi_?res|max", re.IGNORECASE)
_SMALL = re.compile(r"thumb|small|tiny|mini|preview|placeholder|lqip|blur|icon", re.IGNORECASE)
_SLASHES = re.compile(r"\\{1,3}/")
_ESCAPE = re.compile(r"\\{1,3}u([0-9a-fA-F]{4})")
_ENDING = re.compile(r"\.(?:jpe?g|png|webp|avif)(?![a-z0-9])", re.IGNORECASE)


def is_picture_file(url: str) -> bool:
    """Return whether the path of a URL ends like the name of an image file."""
    if len(url) > 4000 or url.startswith("data:") or "<" in url:
        return False
    path = url.partition("#")[0].partition("?")[0].strip()
    # A wiki's page about a file has the file's name: /wiki/File:Cat.jpg.
    return bool(_PICTURE_FILE.search(path)) and ":" not in path.rpartition("/")[2]


def pictures_in_script(text: str) -> Iterator[str]:
    """Yield the URLs of pictures in the text of a script or a JSON block: absolute ones, then paths from the root.

    Those whose key says large come first and those whose key says small last, since the URLs may not say it.
    """
    # Angular escapes quotes this way in the state that it leaves for its scripts.
    text = text.replace("&q;", '"').replace("&quot;", '"')
    for found in sorted(_WHOLE.finditer(text), key=lambda found: _size_order(text, found.start())):
        for url in _NEXT_ADDRESS.split(_unescaped(found[0])):
            path, mark, query = url.partition("?")
            endings = list(_ENDING.finditer(path))
            if endings:
                # What follows the file's ending, such as a bracket or the rest of a style rule, is not part of the URL.
                end = endings[-1].end()
                yield url if end == len(path) else path[:end]
            elif mark and _ENDING.search(query):
                # An image proxy, whose query names the picture to resize.
                yield url

    yield from (url for url in map(_unescaped, _FROM_ROOT.findall(text)) if is_picture_file(url))
    yield from (_MEDIA_OF_WIX + name for name in dict.fromkeys(_OF_WIX.findall(text)))


def pictures_in_json(text: str) -> Iterator[str]:
    """Yield the URLs of pictures among the strings of an attribute that holds JSON, or looks as if it did."""
    strings = strings_of_json(text)
    if strings is None:
        yield from pictures_in_script(text)
        return

    for value in strings:
        if of_wix := _OF_WIX.search(f'"{value}"'):
            yield _MEDIA_OF_WIX + of_wix[1]
            continue
        # Only the page's scripts know what a file name alone is relative to.
        is_file = "/" in value and is_picture_file(value) and not any(sign.isspace() for sign in value)
        yield from [value] if is_file and "{" not in value else pictures_in_script(value)


def pictures_in_expression(text: str) -> Iterator[str]:
    """Yield the URLs of picture files among the string literals of a JavaScript expression in an attribute."""
    for found in _LITERAL.finditer(text):
        url = found[2]
        # "@/" and "~" begin the names of modules, which a bundler has replaced elsewhere.
        if "/" in url and is_picture_file(url) and not url.startswith(("@", "~")) and not has_placeholder(url):
            yield url


def has_placeholder(url: str) -> bool:
    """Return whether a URL holds a place that a template engine would fill in, so that it is no address yet."""
    lowered = url.lower()
    return any(mark in lowered for mark in _PLACEHOLDERS)


def strings_of_json(text: str) -> list[str] | None:
    """Return the strings of a JSON text that are long enough to name a picture, in order; None when it is not JSON."""
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError):
        return None

    # Put onto the stack in reverse, the parts of each value come off it in the order of the text.
    strings = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and len(value) >= _SHORTEST_NAME:
            strings.append(value)
        elif isinstance(value, (dict, list)):
            waiting += reversed(list(value.values()) if isinstance(value, dict) else value)
    return strings


def linked_images(thing: dict[str, Any]) -> Iterator[str]:
    """Yield the URLs under the picture properties of one JSON-LD object (schema.org)."""
    for name in ("image", "thumbnailUrl", "primaryImageOfPage", "logo", "photo", "thumbnail"):
        value = thing.get(name)
        for part in value if isinstance(value, list) else [value]:
            # An object with a type is visited by itself; many pages forget the type.
            if isinstance(part, dict) and "@type" not in part:
                part = part.get("contentUrl") or part.get("url")
            # "https://host/#logo" is the name of another object.
            if isinstance(part, str) and ("#" not in part or is_picture_file(part)):
                yield part

    is_image = "ImageObject" in str(thing.get("@type"))
    urls = [thing.get("contentUrl") if is_image or is_picture_file(str(thing.get("contentUrl"))) else None]
    named = thing.get("url") if is_image else None
    urls += named if isinstance(named, list) else [named]
    yield from (url for url in urls if isinstance(url, str))


def _size_order(text: str, at: int) -> int:
    """Return -1 if the key before a URL in a script says large, 1 if it says small, else 0."""
    found = _NAME_BEFORE.search(text[max(0, at - _LONGEST_NAME) : at])
    name = found[1] if found else ""
    return -1 if _LARGE.search(name) else 1 if _SMALL.search(name) else 0


def _unescaped(written: str) -> str:
    """Return a URL with the escapes of scripts and of HTML resolved."""
    return _ESCAPE.sub(_character, _SLASHES.sub("/", written)).replace("&amp;", "&")


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
