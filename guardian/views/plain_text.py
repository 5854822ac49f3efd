"""Strangers' words made safe to store, send and show: no control or direction characters, bounded in size."""

import json
import re

_BLANK = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CUT = "…"


def cleaned(text: str) -> str:
    """One line of well-formed Unicode that reads as it is stored.

    Characters that turn the direction of writing are taken out: they make one name look like another.
    """
    return _BLANK.sub(" ", _SURROGATE.sub("\ufffd", _DIRECTION.sub("", text))).strip()


def clipped(text: str, max_bytes: int) -> str:
    """Cleaned, and cut (with an ellipsis) so that inside a JSON string it takes at most `max_bytes` of UTF-8."""
    clean = cleaned(text)
    if json_size(clean) <= max_bytes:
        return clean
    low, high = 0, min(len(clean), max_bytes)
    while low < high:
        middle = (low + high + 1) // 2
        if json_size(clean[:middle] + _CUT) <= max_bytes:
            low = middle
        else:
            high = middle - 1
    return clean[:low].rstrip() + _CUT


def json_size(text: str) -> int:
    """How many bytes a text takes between the quotes of a JSON string written as UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2
