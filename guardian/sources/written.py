"""Addresses of pictures in what is written for scripts: their text, JSON in attributes, JSON-LD."""

import json
import re
from collections.abc import Iterator
from typing import Any

_SHORTEST_NAME = len("/.jpg")
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|jfif|png|webp|avif|gif|bmp|tiff?|heic|jxl)$", re.IGNORECASE)
# A script within a script has two or more backslashes for one.
_SLASH = r"(?:\\{0,3}/|\\{1,3}u002f)"
# Takes whole addresses without a step back, so that no script costs more than one pass. What has no scheme
# stands in quotes, and has a host with a dot: "//cdn.example/p.jpg".
_IN_SCRIPT = re.compile(
    rf"""(?:https?:{_SLASH}{{2}}|(?<=["']){_SLASH}{{2}}(?=[\w-]+\.[\w.-]+{_SLASH}))"""
    r"""(?:[^\s"'<>\\{}]|\\{1,3}/|\\{1,3}u[0-9a-fA-F]{4})++(?![{}])""",
    re.IGNORECASE,
)
_SLASHES_IN_SCRIPT = re.compile(r"\\{1,3}/")
_ESCAPE_IN_SCRIPT = re.compile(r"\\{1,3}u([0-9a-fA-F]{4})")
_ENDING_IN_SCRIPT = re.compile(r"\.(?:jpe?g|png|webp|avif)(?![a-z0-9])", re.IGNORECASE)
_NEXT_ADDRESS = re.compile(r"[,;|](?=https?:)", re.IGNORECASE)


def is_picture_file(url: str) -> bool:
    """Whether an address ends as the files of pictures do."""
    if len(url) > 4000 or url.startswith("data:") or "<" in url:
        return False
    path = url.partition("#")[0].partition("?")[0].strip()
    # A wiki's page about a file has the file's name: /wiki/File:Cat.jpg.
    return bool(_PICTURE_FILE.search(path)) and ":" not in path.rpartition("/")[2]


def in_script(text: str) -> Iterator[str]:
    """Whole addresses of pictures in the text of a script or a JSON block."""
    # Angular writes quotes so into what it leaves for its scripts.
    for found in _IN_SCRIPT.findall(text.replace("&q;", '"').replace("&quot;", '"')):
        whole = _ESCAPE_IN_SCRIPT.sub(_unescaped, _SLASHES_IN_SCRIPT.sub("/", found)).replace("&amp;", "&")
        for url in _NEXT_ADDRESS.split(whole):
            path, mark, query = url.partition("?")
            endings = list(_ENDING_IN_SCRIPT.finditer(path))
            if endings:
                # What a script writes after an address, a bracket or the rest of a style rule, is not part of it.
                end = endings[-1].end()
                yield url if end == len(path) else path[:end]
            elif mark and _ENDING_IN_SCRIPT.search(query):
                # A proxy that is told in its query which picture to make smaller.
                yield url


def in_json(text: str) -> Iterator[str]:
    """Pictures among the strings of an attribute that holds JSON, or looks as if it did."""
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError):
        yield from in_script(text)
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and len(value) >= _SHORTEST_NAME:
            # A name alone is no address: what it is relative to, only the page's scripts know.
            is_file = "/" in value and is_picture_file(value) and not any(sign.isspace() for sign in value)
            yield from [value] if is_file and "{" not in value else in_script(value)
        elif isinstance(value, (dict, list)):
            waiting += reversed(list(value.values()) if isinstance(value, dict) else value)


def linked_images(thing: dict[str, Any]) -> Iterator[str]:
    """Addresses under the picture properties of one JSON-LD object (schema.org)."""
    for name in ("image", "thumbnailUrl", "primaryImageOfPage", "logo", "photo", "thumbnail"):
        value = thing.get(name)
        for part in value if isinstance(value, list) else [value]:
            # What says its type speaks for itself; many pages forget to.
            if isinstance(part, dict) and "@type" not in part:
                part = part.get("contentUrl") or part.get("url")
            # "https://host/#logo" is the name of another object.
            if isinstance(part, str) and ("#" not in part or is_picture_file(part)):
                yield part
    if "ImageObject" in str(thing.get("@type")):
        urls = [thing.get(name) for name in ("contentUrl", "url")]
        yield from (url for url in urls if isinstance(url, str))


def _unescaped(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
