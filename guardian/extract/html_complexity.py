"""Judges how complex HTML is before it is parsed: what people write is read within a second or so.

Some pages that attackers write make a standard parser take quadratic time or worse. They are told by counting tags.
"""

import re
from collections import Counter
from collections.abc import Callable

_TAG = re.compile(rb"<(\\?/)?([a-zA-Z][a-zA-Z0-9]*)")
# Comparing attributes of one element with each other takes quadratic time.
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{2000,}")
# Every relative URL of the page is appended to it.
_LONG_BASE = re.compile(rb"<base[^<>]{200,}", re.IGNORECASE)
_MANY_WORDS = 1_000
_MANY_OPTIONS = 5_000
_CLOSED_BY_NEIGHBOURS = frozenset(
    b"area base br col embed hr img input link meta source track wbr param".split()
    + b"p li dt dd tr td th tbody thead tfoot option".split()
)
"""Elements that need no end tag: they are empty, or the next one closes them, so they do not nest."""

_REPEATED = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
"""Formatting elements: the parser opens unclosed ones again in every following paragraph (HTML Standard, 13.2.4.3)."""

_MOST_STEPS, _MOST_REPEATS = 10_000_000, 1_000_000


def is_simple_html(content: bytes) -> bool:
    """Return whether the parser reads this soon, and in a few hundred megabytes. Only counts tags; takes one pass."""
    if _LONG_BASE.search(content):
        return False
    if any(len(tag[0].split()) > _MANY_WORDS for tag in _LONG_TAG.finditer(content)):
        return False

    names = Counter[bytes]()
    most_open, most_repeated = _most_open(content, names, lambda name: name in _REPEATED)
    tags = names.total()
    return (
        tags * most_open <= _MOST_STEPS and tags * most_repeated <= _MOST_REPEATS and names[b"option"] <= _MANY_OPTIONS
    )


def _most_open(content: bytes, names: Counter[bytes], is_repeated: Callable[[bytes], bool]) -> tuple[int, int]:
    """Return the most elements that are open at once, and the most formatting elements among them.

    Adds the number of tags of each name to `names`.
    """
    unclosed = Counter[bytes]()
    now = most = now_repeated = most_repeated = 0
    for found in _TAG.finditer(content):
        name = found[2].lower()
        names[name] += 1
        if name in _CLOSED_BY_NEIGHBOURS or (found[1] and not unclosed[name]):
            continue

        step = -1 if found[1] else 1
        unclosed[name] += step
        now += step
        most = max(most, now)
        if is_repeated(name):
            now_repeated += step
            most_repeated = max(most_repeated, now_repeated)
    return most, most_repeated
