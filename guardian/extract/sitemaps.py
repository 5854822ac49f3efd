"""Reads sitemaps (sitemaps.org 0.9): lists of pages and of sitemaps, the image extension, plain text, gzip."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from gzip import GzipFile
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from guardian.errors import FetchFailed, FetchRefused
from guardian.extract.entries import ListEntries, ListEntry
from guardian.model import Context, PageImage, Response, Skipped, SkipReason
from guardian.urls.addresses import is_web_address, resolve_web_url

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

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
    # Blank lines before the declaration come from careless scripts.
    content = _unpacked(response).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not content.startswith((b"<", *_UTF_16)):
        return _plain(content, response)

    reading = _Reading()
    try:
        _read_xml(content, response, reading)
    except (ParseError, DefusedXmlException, ValueError) as error:
        if not reading.count:
            raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, f"not a sitemap: {error!r}") from error
        broken = f"{reading.count} entries were read, then it breaks off: {error!r}"
        reading.skipped.append(Skipped(response.url, SkipReason.NOT_A_SITEMAP, broken))
    return reading.done()


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
            if len(open_elements) == 1 and _name(element) not in ("urlset", "sitemapindex"):
                raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, f"not a sitemap but <{_name(element)[:40]}>")
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


def _unpacked(response: Response) -> bytes:
    """Return the bytes of a response, unpacked if they are gzip. Raises FetchFailed, FetchRefused (too_large)."""
    content = response.content
    if not content.startswith(b"\x1f\x8b"):
        return content

    plain = bytearray()
    try:
        with GzipFile(fileobj=BytesIO(content)) as file:
            while len(plain) <= MAX_BYTES and (chunk := file.read1(_CHUNK)):
                plain += chunk
    # A download that was cut off still yields the entries before the cut.
    except (OSError, EOFError, zlib.error) as error:
        if not plain:
            raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, f"damaged gzip: {error}") from error
    if len(plain) > MAX_BYTES:
        raise FetchRefused(SkipReason.TOO_LARGE, response.url, f"more than {MAX_BYTES} bytes unpacked")
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
