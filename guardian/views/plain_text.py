"""Makes text from the web safe to store, send and show: no control or direction characters, bounded in size."""

import json
import re
from unicodedata import category

# Control characters count as blanks: in a terminal they move the cursor, and PostgreSQL takes no NUL.
_BLANK = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CUT = "…"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cleaned(text: str) -> str:
    """Return the text as one line of well-formed Unicode, runs of blanks and control characters as one space.

    Characters that change the direction of writing are removed: they make one name look like another.
    """
    return _BLANK.sub(" ", _SURROGATE.sub("\ufffd", _DIRECTION.sub("", text))).strip()


def clipped(text: str, max_bytes: int) -> str:
    """Return the text cleaned and cut, with an ellipsis, to at most `max_bytes` of UTF-8 inside a JSON string."""
    clean = cleaned(text)
    if json_size(clean) <= max_bytes:
        return clean

    # Characters take one to six bytes, so the longest start that fits is found by halving.
    low, high = 0, min(len(clean), max_bytes)
    while low < high:
        middle = (low + high + 1) // 2
        if json_size(clean[:middle] + _CUT) <= max_bytes:
            low = middle
        else:
            high = middle - 1

    return clean[:low].rstrip() + _CUT


def printable(text: str) -> str:
    """Return the text without what could move the cursor or colour the terminal; others wrote it.

    Spaces of other widths stay, which French and Japanese need.
    """
    return "".join(sign if sign.isprintable() or category(sign) == "Zs" else "\ufffd" for sign in text)


def without_formula(text: str) -> str:
    """Return the text as a spreadsheet shows it: an apostrophe stands before what it would run as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def without_apostrophe(text: str) -> str:
    """Return the text that `without_formula` was given; any other text as it is."""
    return text[1:] if text.startswith("'") and without_formula(text[1:]) == text else text


def json_size(text: str) -> int:
    """Return the number of bytes that a text takes between the quotes of a JSON string in UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2
