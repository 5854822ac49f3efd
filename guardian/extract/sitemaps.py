"""Reads sitemaps (sitemaps.org 0.9): lists of pages and of sitemaps, the image extension, plain text, gzip.

One that is not well-formed is mended and read entry by entry, as search engines do.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from gzip import GzipFile
from html import unescape
from io import BytesIO
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from guardian.errors import FetchFailed, FetchRefused
from guardian.extract.entries import ListEntries, ListEntry
from guardian.extract.xml_text import FoundElement, decoded_xml, elements_named, mended, root_of_list
from guardian.model import Context, PageImage, Response, Skipped, SkipReason
from guardian.urls.addresses import is_web_address, resolve_web_url

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_MOST_PACKINGS = 2
"""Some servers pack once more what is packed already."""

_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<")
_ROOTS = ("urlset", "sitemapindex")
_FIRST = re.compile(rb"<([A-Za-z][\w.:-]{0,39})")
_LOC_BYTES = re.compile(rb"<loc[\s>]", re.IGNORECASE)
_ROOT = re.compile(r"<((?:[\w.-]+:)?)(?:urlset|sitemapindex)(?=[\s/>])", re.IGNORECASE)
_END_OF_ROOT = re.compile(r"</(?:[\w.-]+:)?(?:urlset|sitemapindex)\s*>", re.IGNORECASE)
_PREFIX = re.compile(r"""(?:</?|\s(?=[\w.:-]{1,99}=["']))([A-Za-z_][\w.-]*):[A-Za-z_]""")
_LOC = re.compile(r"<(?:[\w.-]+:)?loc(?=[\s>])[^<>]*>\s*([^\s<]{1,8000})", re.IGNORECASE)
_MOST_PREFIXES, _MOST_REFERENCES = 50, 2_000_000

MAX_BYTES = 50 * 1024**2
"""Uncompressed bytes of one file, as many as the protocol allows."""

_CHUNK = 64 * 1024

MAX_ADDRESSES = 50_000
"""URLs in one file, as many as the protocol allows."""

MAX_ELEMENTS, MAX_DEPTH = 20_000, 16
"""Within one entry: Google's extension allows a thousand pictures of five elements each."""


@dataclass(slots=True)
class _Reading:
    """What was read of one sitemap so far, which counts even if the file breaks off in the middle."""

    entries: list[ListEntry] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many addresses were read."""
        return len(self.entries) + len(self.sitemaps)

    def done(self) -> ListEntries:
        """Return what was read."""
        return ListEntries(tuple(self.entries), tuple(self.sitemaps), tuple(self.skipped))


def read_sitemap(response: Response) -> ListEntries:
    """Return what one sitemap file names. Raises FetchFailed (not_a_sitemap), FetchRefused (too_large)."""
    content = unpacked(response)
    root = root_of_list(content)
    if root is None and not _MARKUP.match(content[:100]):
        return _plain(content, response)
    if root not in _ROOTS and not (root is None and _LOC_BYTES.search(content)):
        first = _FIRST.search(content)
        what = f"<{first[1].decode('ascii')}>" if first else "other XML"
        raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, f"not a sitemap but {what}")

    # Blank lines before the declaration come from careless scripts.
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    reading = _Reading()
    try:
        _read_xml(content, response, reading)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        reading = _Reading()
        _read_damaged(content, response, reading)
        if not reading.count:
            raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, _what_is_wrong(error)) from error
    return reading.done()


def _what_is_wrong(error: Exception) -> str:
    """Return in words why a file cannot be read as a sitemap."""
    if isinstance(error, ParseError):
        line, column = error.position
        return f"not a sitemap: its XML is not well-formed at line {line}, column {column + 1}"
    if isinstance(error, DefusedXmlException):
        return "not a sitemap: it declares a document type, which sitemaps do not have"
    return "not a sitemap: it cannot be read as XML"


def _read_damaged(content: bytes, response: Response, reading: _Reading) -> None:
    """Add the entries of a sitemap that is not well-formed, each mended and parsed by itself.

    What could not be read of it is added to `skipped`. Raises FetchFailed (not_a_sitemap) when it declares entities.
    """
    text = decoded_xml(content)
    root = _ROOT.search(text)
    head = text[: root.start()] if root else text[:1000]
    if "<!ENTITY" in head.upper():
        # Sitemaps need no entities of their own, and nested ones expand to gigabytes (an XML bomb).
        raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, "declares XML entities, which sitemaps do not need")

    if text.count("&") > _MOST_REFERENCES:
        return
    text = mended(text[root.start() :] if root else text)
    prefixes = sorted(set(_PREFIX.findall(text)) - {"xml", "xmlns"})[:_MOST_PREFIXES]
    declared = "".join(f' xmlns:{name}="urn:{name}"' for name in prefixes)
    start = f"<r{declared}><e>"

    unread = 0
    for found in elements_named(text, ("url", "sitemap"), root[1] if root else ""):
        if reading.count >= MAX_ADDRESSES:
            too_many = f"more than {MAX_ADDRESSES} addresses in one sitemap"
            reading.skipped.append(Skipped(response.url, SkipReason.BUDGET, too_many))
            return
        unread += not _read_entry(found, start, response, reading)

    # Without the end of its root element a file is likely the beginning of a longer one.
    is_cut_off = root is not None and not _END_OF_ROOT.search(text)
    if unread or is_cut_off:
        how = "then it breaks off" if is_cut_off else f"{unread} of them not or only in part"
        broken = f"{reading.count} entries were read, {how}"
        reading.skipped.append(Skipped(response.url, SkipReason.NOT_A_SITEMAP, broken))


def _read_entry(found: FoundElement, start: str, response: Response, reading: _Reading) -> bool:
    """Add one entry of a damaged sitemap; return whether all of it could be read. `start` declares the prefixes."""
    try:
        if found.inner.count("<") > 2 * MAX_ELEMENTS:
            return False
        element = fromstring(f"{start}{found.inner}</e></r>", forbid_dtd=True)[0]
        address, images = _address(element, response), tuple(_images(element, response))
        is_whole = found.is_closed or address is not None
    except (ParseError, DefusedXmlException, ValueError, IndexError):
        loc = _LOC.search(found.inner) if found.is_closed else None
        address = resolve_web_url(response.final_url, unescape(loc[1])) if loc else None
        images, is_whole = (), False

    if address is not None and found.name == "sitemap":
        reading.sitemaps.append(address)
    elif address is not None:
        reading.entries.append(ListEntry(address, images))
    return is_whole


def _read_xml(content: bytes, response: Response, reading: _Reading) -> None:
    """Add the entries of an XML sitemap to `reading`, one at a time, so that memory stays small.

    A document type is refused: without one there are no entities to expand without end (an XML bomb).
    """
    open_elements: list[Element] = []
    entries = inside = 0
    for event, element in iterparse(BytesIO(content), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            open_elements.append(element)
            inside += 1
            if len(open_elements) == 1 and _name(element) not in _ROOTS:
                raise ValueError("another element stands before the sitemap")
            if inside > MAX_ELEMENTS or len(open_elements) > MAX_DEPTH:
                raise FetchFailed(
                    SkipReason.NOT_A_SITEMAP, response.url, f"more than {MAX_ELEMENTS} elements in one entry"
                )
            continue

        open_elements.pop()
        if len(open_elements) != 1:
            # Still within an entry, or the end of the whole file.
            continue

        entries += 1
        if entries > MAX_ADDRESSES:
            too_many = f"more than {MAX_ADDRESSES} addresses in one sitemap"
            reading.skipped.append(Skipped(response.url, SkipReason.BUDGET, too_many))
            break

        address = _address(element, response)
        if address is not None:
            if _name(open_elements[0]) == "sitemapindex":
                reading.sitemaps.append(address)
            else:
                reading.entries.append(ListEntry(address, tuple(_images(element, response))))
        open_elements[0].clear()
        inside = 0


def _images(entry: Element, response: Response) -> Iterator[PageImage]:
    """Yield the images, and the thumbnails of videos, that an entry names with Google's extensions."""
    for image in (child for child in entry if _name(child) in ("image", "video")):
        address = _address(image, response, "loc" if _name(image) == "image" else "thumbnail_loc")
        if address is not None:
            context = Context(
                caption=_text(image, "caption"), title=_text(image, "title"), claims=_text(image, "license")
            )
            yield PageImage(address, context)


def _plain(content: bytes, response: Response) -> ListEntries:
    """Return the entries of a text file, one address a line (sitemaps.org, "Text file")."""
    lines = [line.strip() for line in content.decode("utf-8-sig", errors="replace").splitlines()]
    addresses = [line for line in lines if is_web_address(line)][:MAX_ADDRESSES]
    if not addresses:
        raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, "neither XML nor a list of addresses")
    return ListEntries(tuple(ListEntry(url) for url in addresses))


def unpacked(response: Response) -> bytes:
    """Return the bytes of a response, unpacked if they are gzip, or deflate without the header of gzip.

    Raises FetchFailed, FetchRefused (too_large).
    """
    content = response.content
    for _ in range(_MOST_PACKINGS):
        if not content.startswith(b"\x1f\x8b"):
            break
        content = _gunzipped(content, response)

    is_text = content[:1] in (b"", b" ", b"\t", b"\r", b"\n", b"<") or content.startswith(_BYTE_ORDER_MARKS)
    if not is_text and urlsplit(response.final_url).path.endswith(".gz"):
        for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
            with suppress(zlib.error):
                plain = zlib.decompressobj(bits).decompress(content, MAX_BYTES + 1)
                if _MARKUP.match(plain[:100]):
                    content = plain
                    break
    if len(content) > MAX_BYTES:
        raise FetchRefused(SkipReason.TOO_LARGE, response.url, f"more than {MAX_BYTES} bytes unpacked")
    return content


def _gunzipped(content: bytes, response: Response) -> bytes:
    """Return what gzip packed, at most a little more than MAX_BYTES. Raises FetchFailed."""
    plain = bytearray()
    try:
        with GzipFile(fileobj=BytesIO(content)) as file:
            while len(plain) <= MAX_BYTES and (chunk := file.read1(_CHUNK)):
                plain += chunk
    # A download that was cut off still yields the entries before the cut.
    except (OSError, EOFError, zlib.error) as error:
        if not plain:
            raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, "its gzip is damaged") from error
    return bytes(plain)


def _name(element: Element) -> str:
    """Return the name of an element in lower case and without its namespace."""
    return str(element.tag).rpartition("}")[2].lower()


def _address(element: Element, response: Response, name: str = "loc") -> str | None:
    """Return the absolute URL that an entry names. The protocol forbids relative ones, but sites write them."""
    written = _text(element, name)
    return resolve_web_url(response.final_url, written) if written else None


def _text(element: Element, name: str) -> str | None:
    """Return the text of the first child with this name; None when it is missing or empty."""
    found = next((child for child in element if _name(child) == name), None)
    return ((found.text or "").strip() or None) if found is not None else None
