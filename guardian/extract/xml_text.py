"""Mends the XML of sitemaps and feeds as their readers on the web do: text in, text or elements out.

Nothing is expanded here: a reference to an entity that XML and HTML do not know stays text, so no XML bomb goes off.
Every function takes one pass, whatever the text is.
"""

import codecs
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape
from html.entities import html5

_ROOT = re.compile(r"<(?:[\w.-]+:)?(urlset|sitemapindex|rss|feed|RDF)(?=[\s/>]|$)", re.IGNORECASE)
_SNIFFED = 64 * 1024
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s{0,20}=\s{0,20}["']([\w.:-]{1,40})""", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&(#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,40};)?")
_OF_XML = frozenset(["amp;", "lt;", "gt;", "quot;", "apos;"])
_CDATA, _END_OF_CDATA = "<![CDATA[", "]]>"
_COMMENT, _END_OF_COMMENT = "<!--", "-->"


@dataclass(frozen=True, slots=True)
class FoundElement:
    """An element as it is written: its name in lower case, and what stands within it.

    `is_closed` is False for one that the next one of its kind, or the end of the text, cuts off.
    """

    name: str
    inner: str
    is_closed: bool


def root_of_list(content: bytes) -> str | None:
    """Return which root element of sitemaps and feeds stands in the beginning: urlset, sitemapindex, rss, feed, rdf.

    None when there is none. What stands before it does not matter, nor whether every second byte is zero (UTF-16).
    """
    found = _ROOT.search(content[:_SNIFFED].replace(b"\0", b"").decode("latin-1"))
    return found[1].lower() if found else None


def decoded_xml(content: bytes) -> str:
    """Return the text of an XML file by its byte order mark, else by its declaration, else as UTF-8.

    A byte that is not UTF-8 is read as Windows-1252, which is what editors write that know nothing of encodings.
    """
    declared = _ENCODING.search(content[:1000])
    name = declared[1].decode("ascii") if declared else "utf-8"
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            name = encoding
            break
    else:
        if name.lower().startswith(("utf-16", "utf-32", "ucs")) and b"\0" not in content[:1000]:
            # The declaration could not be read if it were true.
            name = "utf-8"

    try:
        is_utf8 = codecs.lookup(name).name in ("utf-8", "utf-8-sig", "ascii")
        if not is_utf8:
            return content.decode(name, errors="replace")
    except (LookupError, UnicodeError):
        pass
    text = content.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    return _ESCAPED_BYTE.sub(lambda byte: bytes([ord(byte[0]) - 0xDC00]).decode("cp1252", errors="replace"), text)


def mended(text: str) -> str:
    """Return XML without comments and CDATA sections, in which every reference and every character is allowed.

    The text of CDATA sections is escaped. References to HTML's entities become their characters, a bare & becomes
    &amp;, and characters that XML does not allow are dropped.
    """
    return _REFERENCE.sub(_mended_reference, _NOT_XML.sub("", without_sections(text)))


def without_sections(text: str) -> str:
    """Return XML without comments, and with the text of CDATA sections escaped instead."""
    parts, at = list[str](), 0
    while (start := text.find("<!", at)) >= 0:
        if text.startswith(_CDATA, start):
            opening, ending = _CDATA, _END_OF_CDATA
        elif text.startswith(_COMMENT, start):
            opening, ending = _COMMENT, _END_OF_COMMENT
        else:
            parts.append(text[at : start + 2])
            at = start + 2
            continue

        parts.append(text[at:start])
        end = text.find(ending, start + len(opening))
        end = len(text) if end < 0 else end
        if opening is _CDATA:
            parts.append(escape(text[start + len(opening) : end]))
        at = end + len(ending)
    return "".join([*parts, text[at:]])


def elements_named(text: str, names: Collection[str], prefix: str = "") -> Iterator[FoundElement]:
    """Yield the elements with these names (lower case), in order. `prefix` stands before the names, with its colon.

    They do not contain each other: one that begins within another ends it.
    """
    tag = re.compile(rf"<(/?){re.escape(prefix)}({'|'.join(map(re.escape, names))})(?=[\s/>])[^<>]*>", re.IGNORECASE)
    name, start = "", -1
    for found in tag.finditer(text):
        is_end = bool(found[1])
        if start >= 0:
            yield FoundElement(name, text[start : found.start()], is_end)
        name, start = (found[2].lower(), found.end()) if not is_end else ("", -1)
    if start >= 0:
        yield FoundElement(name, text[start:], is_closed=False)


def _mended_reference(found: re.Match[str]) -> str:
    body = found[1]
    if not body:
        return "&amp;"
    if body in _OF_XML:
        return found[0]
    if body.startswith("#"):
        code = int(body[2:-1], 16) if body[1] in "xX" else int(body[1:-1])
        is_character = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
        return found[0] if is_character and code <= 0x10FFFF else ""
    return escape(html5[body]) if body in html5 else f"&amp;{body}"
