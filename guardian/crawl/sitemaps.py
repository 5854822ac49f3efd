"""Reads sitemaps (sitemaps.org 0.9): lists of pages and of sitemaps, the image extension, plain text, gzip."""

import asyncio
import zlib
from collections.abc import Iterator
from gzip import GzipFile
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from guardian.crawl.context import CrawlContext
from guardian.crawl.entries import ListEntries
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Context, CrawlRequest, Response, Sighting, Skipped, SkipReason
from guardian.urls.addresses import is_web_address, web_address

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

MAX_BYTES = 50 * 1024**2
"""Uncompressed; what the protocol allows."""

_CHUNK = 64 * 1024

MAX_ADDRESSES = 50_000
"""In one file; what the protocol allows."""

MAX_ELEMENTS, MAX_DEPTH = 20_000, 16
"""Within one entry: Google's extension allows a thousand pictures of five elements each."""


async def read_sitemap(url: str, source: str, context: CrawlContext) -> ListEntries:
    """One sitemap file. Raises FetchRefused, FetchFailed (not_a_sitemap)."""
    response = await context.fetch.get(url, kind="document")
    return await asyncio.to_thread(_listed, response, source)


def _listed(response: Response, source: str) -> ListEntries:
    # Blank lines before the declaration come from careless scripts.
    content = _unpacked(response).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if not content.startswith((b"<", *_UTF_16)):
        return _plain(content, response)
    seen: list[Sighting | Skipped] = []
    leads: list[CrawlRequest] = []
    try:
        _read_xml(content, response, source, seen, leads)
    except (ParseError, DefusedXmlException, ValueError) as error:
        if not (seen or leads):
            raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, f"not a sitemap: {error!r}") from error
        broken = f"{len(leads)} entries were read, then it breaks off: {error!r}"
        seen.append(Skipped(response.url, SkipReason.NOT_A_SITEMAP, broken))
    return ListEntries(tuple(seen), tuple(leads))


def _read_xml(
    content: bytes, response: Response, source: str, seen: list[Sighting | Skipped], leads: list[CrawlRequest]
) -> None:
    """Entry by entry, each forgotten when it was read. No document type, no entities: a bomb needs both."""
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
            continue
        entries += 1
        if entries > MAX_ADDRESSES:
            seen.append(Skipped(response.url, SkipReason.BUDGET, f"more than {MAX_ADDRESSES} addresses in one sitemap"))
            break
        address = _address(element, response)
        if address is not None:
            if _name(open_elements[0]) == "sitemapindex":
                leads.append(CrawlRequest(address, "sitemap", 1, response.final_url))
            else:
                leads.append(CrawlRequest(address, "page", 0, response.final_url))
                seen += _pictures(element, address, source, response)
        open_elements[0].clear()
        inside = 0


def _pictures(entry: Element, page: str, source: str, response: Response) -> Iterator[Sighting]:
    """Google's extensions for images and videos; the page that is named is where the picture is shown."""
    for image in (child for child in entry if _name(child) in ("image", "video")):
        address = _address(image, response, "loc" if _name(image) == "image" else "thumbnail_loc")
        if address is not None:
            context = Context(
                caption=_text(image, "caption"), title=_text(image, "title"), claims=_text(image, "license")
            )
            yield Sighting(source, address, page, response.fetched_at, context, page=response)


def _plain(content: bytes, response: Response) -> ListEntries:
    """One address a line (sitemaps.org, "Text file")."""
    lines = [line.strip() for line in content.decode("utf-8-sig", errors="replace").splitlines()]
    addresses = [line for line in lines if is_web_address(line)][:MAX_ADDRESSES]
    if not addresses:
        raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, "neither XML nor a list of addresses")
    return ListEntries(leads=tuple(CrawlRequest(url, "page", 0, response.final_url) for url in addresses))


def _unpacked(response: Response) -> bytes:
    content = response.content
    if not content.startswith(b"\x1f\x8b"):
        return content
    plain = bytearray()
    try:
        with GzipFile(fileobj=BytesIO(content)) as file:
            while len(plain) <= MAX_BYTES and (chunk := file.read1(_CHUNK)):
                plain += chunk
    except (OSError, EOFError, zlib.error) as error:
        if not plain:
            raise FetchFailed(SkipReason.NOT_A_SITEMAP, response.url, f"damaged gzip: {error}") from error
    if len(plain) > MAX_BYTES:
        raise FetchRefused(SkipReason.TOO_LARGE, response.url, f"more than {MAX_BYTES} bytes unpacked")
    return bytes(plain)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _address(element: Element, response: Response, name: str = "loc") -> str | None:
    """What an entry names; relative addresses are against the protocol, and written all the same."""
    written = _text(element, name)
    return web_address(response.final_url, written) if written else None


def _text(element: Element, name: str) -> str | None:
    found = next((child for child in element if _name(child) == name), None)
    return ((found.text or "").strip() or None) if found is not None else None
