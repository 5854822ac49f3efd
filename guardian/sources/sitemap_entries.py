"""Reads sitemaps (sitemaps.org 0.9): lists of pages and of sitemaps, the image extension, plain text, gzip."""

import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Context, Lead, Omission, Response, Sighting
from guardian.sources.listed import Listed
from guardian.sources.responses import is_web_address
from guardian.sources.traps import key_of
from guardian.sources.visit import Visit

MAX_BYTES = 50 * 1024**2
"""Uncompressed; what the protocol allows."""

MAX_ADDRESSES = 50_000
"""In one file; what the protocol allows."""


async def read_sitemap(url: str, source: str, visit: Visit) -> Listed:
    """One sitemap file. Raises FetchRefused, FetchFailed (not_a_sitemap)."""
    response = await visit.fetch.get(url, kind="document")
    content = _unpacked(response)
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _plain(content, response)
    try:
        # No document type, no entities: a sitemap has neither, and a bomb needs both.
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FetchFailed("not_a_sitemap", url, f"not a sitemap: {error!r}") from error
    if _name(root) not in ("urlset", "sitemapindex"):
        raise FetchFailed("not_a_sitemap", url, f"not a sitemap but <{_name(root)[:40]}>")
    seen: list[Sighting | Omission] = []
    leads: list[Lead] = []
    for entry in list(root)[:MAX_ADDRESSES]:
        address = _text(entry, "loc")
        if address is None or not is_web_address(address):
            continue
        if _name(root) == "sitemapindex":
            leads.append(Lead(address, "sitemap", 1, response.final_url))
            continue
        leads.append(Lead(address, "page", 0, response.final_url, key_of(address)))
        seen += _pictures(entry, address, source, response)
    if len(root) > MAX_ADDRESSES:
        seen.append(Omission(url, "budget", f"{len(root) - MAX_ADDRESSES} more addresses in one sitemap"))
    return Listed(tuple(seen), tuple(leads))


def _pictures(entry: Element, page: str, source: str, response: Response) -> Iterator[Sighting]:
    """Google's image extension; the page it names is where the picture is shown."""
    for image in (child for child in entry if _name(child) == "image"):
        address = _text(image, "loc")
        if address is not None and is_web_address(address):
            context = Context(
                caption=_text(image, "caption"), title=_text(image, "title"), claims=_text(image, "license")
            )
            yield Sighting(source, address, page, response.fetched_at, context, page=response)


def _plain(content: bytes, response: Response) -> Listed:
    """One address a line (sitemaps.org, "Text file")."""
    lines = [line.strip() for line in content.decode("utf-8-sig", errors="replace").splitlines()]
    addresses = [line for line in lines if is_web_address(line)][:MAX_ADDRESSES]
    if not addresses:
        raise FetchFailed("not_a_sitemap", response.url, "neither XML nor a list of addresses")
    return Listed(leads=tuple(Lead(url, "page", 0, response.final_url, key_of(url)) for url in addresses))


def _unpacked(response: Response) -> bytes:
    content = response.content
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        plain = zlib.decompressobj(wbits=31).decompress(content, MAX_BYTES + 1)
    except zlib.error as error:
        raise FetchFailed("not_a_sitemap", response.url, f"damaged gzip: {error}") from error
    if len(plain) > MAX_BYTES:
        raise FetchRefused("too_large", response.url, f"more than {MAX_BYTES} bytes unpacked")
    return plain


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _text(element: Element, name: str) -> str | None:
    found = next((child for child in element if _name(child) == name), None)
    return ((found.text or "").strip() or None) if found is not None else None
