"""The text of a page as its HTML has it: what is shown when no script runs."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from selectolax.lexbor import LexborHTMLParser

from guardian.extract.html import decoded_html
from guardian.extract.html_sandbox import is_simple
from guardian.model import Response

_NOT_SHOWN = ["script", "style", "template", "head", "noscript"]

# Words with digits are times, numbers of requests and tokens.
_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?!\w)")

_RUN = 3
"""So many elements and words in a row have two pages in common for another reason than chance."""


def text_of_page(response: Response) -> str | None:
    """Return the text of a page without scripts and styles; None for HTML that could take hours to read."""
    if not is_simple(response):
        return None
    tree = LexborHTMLParser(decoded_html(response))
    tree.strip_tags(_NOT_SHOWN)
    return tree.body.text(separator=" ") if tree.body is not None else ""


def elements_and_words(response: Response, most: int, without: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the elements of a page ("<p>") and the words in them, in lower case and in the order of the page.

    Words with digits are left out, and what is named in `without`. None for a page of more than `most` elements and
    words, and for HTML that could take hours to read.
    """
    if not is_simple(response):
        return None
    tree = LexborHTMLParser(decoded_html(response))
    tree.strip_tags(_NOT_SHOWN)
    if tree.body is None:
        return ()

    found: list[str] = []
    for node in islice(tree.body.traverse(include_text=True), most + 1):
        if node.tag != "-text":
            found.append(f"<{node.tag}>")
            continue
        text = node.text()
        for one in without:
            text = text.replace(one, " ")
        found += _WORD.findall(text.lower())
    return tuple(found) if len(found) <= most else None


def in_common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return what of one page's elements and words stands in another's too, in runs of three and as often as there.

    Runs may stand in another order. So a site cannot make this take long, as it can a comparison in order.
    """
    length = min(_RUN, len(one), len(other))
    left = Counter(_runs(other, length))
    kept: set[int] = set()
    for start, run in enumerate(_runs(one, length)):
        if left[run] > 0:
            left[run] -= 1
            kept.update(range(start, start + length))
    return tuple(one[number] for number in sorted(kept))


def _runs(words: tuple[str, ...], length: int) -> Iterator[tuple[str, ...]]:
    return (words[start : start + length] for start in range(len(words) - length + 1))
