"""Turns strangers' text into what the report may show: bounded, escaped, each character in a typeface that has it."""

import unicodedata
from collections.abc import Iterator
from xml.sax.saxutils import escape

import arabic_reshaper
from reportlab.pdfbase import pdfmetrics

from guardian.evidence.report.direction import begins_right_to_left, in_seen_order, is_right_to_left
from guardian.evidence.report.typefaces import BODY, runs

MOST_SIGNS = 600
"""Characters of one text that are shown; of longer ones it is said how long they are."""

_JOINERS = "\u200c\u200d"
_RESHAPER = arabic_reshaper.ArabicReshaper({"delete_harakat": False, "support_ligatures": True})


def bounded(text: str, most: int = MOST_SIGNS) -> str:
    """Return a text as one line of at most about `most` characters, with what cannot be seen shown by its number."""
    signs: list[str] = []
    is_blank, looked_at, length = True, 0, 0
    # A title may have ten million characters: what is not shown is not looked at.
    for sign in text[: 4 * most]:
        if length >= most:
            break
        looked_at += 1
        is_space = sign.isspace()
        if not (is_space and is_blank):
            signs.append(" " if is_space else _visible(sign))
            length += len(signs[-1])
        is_blank = is_space

    shown = "".join(signs).strip()
    return shown if looked_at == len(text) else f"{shown} … (cut here; {len(text):,} characters in all)"


def markup(text: str, typeface: str = BODY, size: float = 9.5, width: float = 440, most: int = MOST_SIGNS) -> str:
    """Return strangers' text as the markup of a reportlab paragraph that is `width` points wide."""
    shown = bounded(text, most)
    if not is_right_to_left(shown):
        return _marked(shown, typeface)

    base_level = int(begins_right_to_left(shown))
    shaped = _RESHAPER.reshape(shown)
    # Lines are broken before they are turned round: the first words must stand in the first line.
    lines = _lines(shaped, typeface, size, width)
    return "<br/>".join(_marked(in_seen_order(line, base_level), typeface) for line in lines)


def plain(text: str, typeface: str = BODY) -> str:
    """Return our own text as markup."""
    return _marked(text, typeface)


def _visible(sign: str) -> str:
    if sign in _JOINERS:
        return sign
    if unicodedata.category(sign) in ("Cc", "Cf", "Cn", "Co", "Cs"):
        return f"[U+{ord(sign):04X}]"
    return sign


def _marked(text: str, typeface: str) -> str:
    parts = []
    for name, part in runs(text, typeface):
        parts.append(escape(part) if name == typeface else f'<font name="{name}">{escape(part)}</font>')
    return "".join(parts)


def _lines(text: str, typeface: str, size: float, width: float) -> Iterator[str]:
    """Yield a text in lines that are at most `width` points wide, broken at blanks where that is possible."""
    line = ""
    for word in text.split(" "):
        for piece in _pieces(word, typeface, size, width):
            longer = f"{line} {piece}" if line else piece
            if line and _width(longer, typeface, size) > width:
                yield line
                line = piece
            else:
                line = longer
    yield line


def _pieces(word: str, typeface: str, size: float, width: float) -> Iterator[str]:
    while _width(word, typeface, size) > width and len(word) > 1:
        fits = max(1, int(len(word) * width / _width(word, typeface, size)) - 1)
        yield word[:fits]
        word = word[fits:]
    yield word


def _width(text: str, typeface: str, size: float) -> float:
    return float(sum(pdfmetrics.stringWidth(part, name, size) for name, part in runs(text, typeface)))
