"""Reads feeds: RSS and Atom by feedparser, JSON Feed 1.1 by itself."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape, unescape
from typing import Any

from guardian.errors import FetchFailed, FetchRefused
from guardian.extract.entries import ListEntries, ListEntry
from guardian.extract.grouping import ImageGrouping
from guardian.extract.html_sandbox import read_guarded
from guardian.extract.image_context import shortened
from guardian.extract.scripts import is_picture_file
from guardian.extract.xml_text import decoded_xml, elements_named, without_sections
from guardian.model import Context, PageImage, Response, Skipped, SkipReason
from guardian.urls.addresses import resolve_url, resolve_web_url

MAX_ENTRIES = 1_000
MAX_TAGS = 100_000
"""As many as feedparser reads within some seconds."""

_ITEM = re.compile(r"<(?:item|entry)(?=[\s>])", re.IGNORECASE)
_VALUE = re.compile(r"""(?<=[>"'])[^<>"']{9,2000}(?=[<"'])""")
"""The text of an element without children, and the value of an attribute."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a feed, as it is written.

    `html` holds its pieces of HTML, each with the base URL of its references, and `pictures` the absolute URLs of the
    files that it names beside them.
    """

    link: str | None
    title: str | None
    claims: str | None
    html: tuple[tuple[str, str], ...]
    pictures: tuple[str, ...]


async def read_feed(response: Response) -> ListEntries:
    """Return the entries of one feed. Raises FetchFailed (not_a_feed), FetchRefused (too_large)."""
    is_json = response.content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    read = _json_entries if is_json else _xml_entries
    # feedparser is slow; other visits go on meanwhile.
    found = await asyncio.to_thread(lambda: list(read(response)))

    entries: list[ListEntry] = []
    skipped: list[Skipped] = []
    for entry in found[:MAX_ENTRIES]:
        seen = await _images(entry, response)
        skipped += [one for one in seen if isinstance(one, Skipped)]
        entries.append(ListEntry(entry.link, tuple(one for one in seen if isinstance(one, PageImage))))
    if len(found) > MAX_ENTRIES:
        skipped.append(Skipped(response.url, SkipReason.BUDGET, f"{len(found) - MAX_ENTRIES} more entries in one feed"))
    return ListEntries(tuple(entries), skipped=tuple(skipped))


async def _images(entry: _Entry, response: Response) -> list[PageImage | Skipped]:
    """Return each image of an entry once, and what was left out."""
    seen: list[PageImage | Skipped] = []
    page_url = entry.link or response.final_url
    # A feed names one picture in its summary, in its text and as a file, each time at another size.
    grouping = ImageGrouping(page_url)
    context = Context(page_title=shortened(entry.title), claims=shortened(entry.claims))

    for html, base in entry.html:
        # The folder alone: a long address with its query makes a page look complex, which costs a process each time.
        whole = f'<base href="{escape(resolve_url(base, ".") or page_url)}">{html}'
        as_page = replace(
            response,
            final_url=page_url,
            content=whole.encode("utf-8", errors="replace"),
            headers=(("content-type", "text/html; charset=utf-8"),),
        )
        try:
            found = (await read_guarded(as_page)).seen
        except FetchRefused as error:
            seen.append(replace(error.skipped, url=page_url))
            continue
        for item in found:
            if isinstance(item, PageImage) and item.image_url:
                words = replace(item.context, page_title=context.page_title, claims=context.claims)
                grouping.add([item.image_url, *item.also_at], words)
            else:
                seen.append(item)

    for url in entry.pictures:
        if address := grouping.address(page_url, url):
            grouping.add([address], context)
    return [*grouping.all(), *seen]


def _xml_entries(response: Response) -> Iterator[_Entry]:
    """Yield the entries of RSS or Atom. Raises FetchFailed (not_a_feed), FetchRefused (too_large)."""
    _refuse_dangerous_xml(response)
    # Loaded with the first feed, since it would slow down every start of the command line.
    import feedparser

    parsed = feedparser.parse(
        response.content,
        response_headers={"content-location": response.final_url},
        # Sanitizing would remove the attributes in which lazy and responsive pictures are written.
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version"):
        raise FetchFailed(SkipReason.NOT_A_FEED, response.url, "neither RSS nor Atom nor JSON Feed")

    text = without_sections(decoded_xml(response.content))
    yield from _of_channel(parsed.feed, _files_named(text[: _start_of_items(text)]), response.final_url)
    named_in_items = _files_of_items(text, len(parsed.entries))
    for entry, more in zip(parsed.entries, named_in_items, strict=True):
        yield _xml_entry(entry, more, response.final_url)


def _refuse_dangerous_xml(response: Response) -> None:
    """Raise FetchFailed for XML that declares entities, FetchRefused for what would take too long to parse."""
    # Feeds need no entities of their own, and nested ones expand to gigabytes (an XML bomb).
    if any(_declares_entities(response.content, encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
        raise FetchFailed(SkipReason.NOT_A_FEED, response.url, "declares XML entities, which feeds do not need")
    if response.content.count(b"<") > MAX_TAGS:
        raise FetchRefused(SkipReason.TOO_LARGE, response.url, f"a feed of more than {MAX_TAGS} tags")


def _xml_entry(entry: dict[str, Any], more: list[str], address: str) -> _Entry:
    """Return an entry as feedparser has read it. `more`: files that it names beside; `address`: that of the feed."""
    files = [*entry.get("media_content", ()), *entry.get("media_thumbnail", ())]
    named = [one.get("url") for one in files if _may_be_picture(one)]
    named += [one.get("href") for one in entry.get("enclosures", ()) if _may_be_picture(one)]
    named += [one.get("src") for one in entry.get("content", ()) if _may_be_picture(one)]
    named += [_image_of(entry), *more]

    # Each piece of text has its own xml:base. That of the title stands for the files, which have none.
    texts = [*entry.get("content", ()), entry.get("summary_detail") or {}]
    html = dict[str, str]()
    for one in texts:
        html.setdefault(one.get("value") or "", one.get("base") or address)
    base_of_files = (entry.get("title_detail") or {}).get("base") or address
    return _Entry(
        link=_absolute_url(address, entry.get("link")),
        title=entry.get("title"),
        claims=_claims({"author": entry.get("author"), "rights": entry.get("rights"), "licence": entry.get("license")}),
        html=tuple((text, base) for text, base in html.items() if text),
        pictures=_addresses(base_of_files, named),
    )


def _of_channel(feed: dict[str, Any], more: list[str], base: str) -> Iterator[_Entry]:
    """Yield an entry for the pictures of a whole feed, which are shown by the feed itself; none when it has none.

    `more` are files of pictures that stand before its entries.
    """
    pictures = _addresses(base, [_image_of(feed), feed.get("logo"), feed.get("icon"), *more])
    if pictures:
        yield _Entry(
            link=None,
            title=feed.get("title"),
            claims=_claims({"rights": feed.get("rights"), "licence": feed.get("license")}),
            html=(),
            pictures=pictures,
        )


def _image_of(holder: dict[str, Any]) -> Any:
    """Return the address in the image element of a feed or an entry: RSS, iTunes or Media RSS."""
    image = holder.get("image")
    return image.get("href") or image.get("url") if isinstance(image, dict) else image


def _start_of_items(text: str) -> int:
    """Return where the first entry of a feed begins."""
    found = _ITEM.search(text)
    return found.start() if found else len(text)


def _files_of_items(text: str, count: int) -> list[list[str]]:
    """Return for each of `count` entries the files of pictures that any of its elements and attributes names.

    feedparser keeps of repeated and unknown elements the last one or none, such as the image_link of shops. Empty lists
    when the entries cannot be told apart.
    """
    items = [found.inner for found in elements_named(text, ("item", "entry"))]
    if len(items) != count:
        return [[] for _ in range(count)]
    return [_files_named(item) for item in items]


def _files_named(text: str) -> list[str]:
    """Return the absolute URLs of picture files that are the whole text of an element or the value of an attribute."""
    values = (unescape(value).strip() for value in _VALUE.findall(text))
    return [url for url in values if is_picture_file(url) and "://" in url and not any(map(str.isspace, url))]


def _declares_entities(content: bytes, encoding: str) -> bool:
    """Return whether a feed declares entities. Only its head counts, since the entries may be about XML."""
    ends = [content.find(name.encode(encoding)) for name in ("<item", "<entry")]
    head = content[: min((end for end in ends if end >= 0), default=len(content))]
    return "<!ENTITY".encode(encoding) in head


def _json_entries(response: Response) -> Iterator[_Entry]:
    """Yield the entries of a JSON Feed; parts of a wrong type are passed over. Raises FetchFailed (not_a_feed)."""
    try:
        feed = json.loads(response.content.decode("utf-8-sig"))
        items = feed["items"]
        if "jsonfeed" not in str(feed.get("version")) or not isinstance(items, list):
            raise ValueError("no version of JSON Feed")
    except (ValueError, KeyError, RecursionError) as error:
        raise FetchFailed(SkipReason.NOT_A_FEED, response.url, f"not a JSON Feed: {error!r}") from error

    for item in items:
        if not isinstance(item, dict):
            continue
        attached = item.get("attachments")
        files = [one for one in attached if isinstance(one, dict)] if isinstance(attached, list) else []
        named = [item.get("image"), item.get("banner_image")]
        named += [one.get("url") for one in files if _may_be_picture(one)]
        html = item.get("content_html")
        link = _absolute_url(response.final_url, item.get("url") or item.get("external_url"))
        yield _Entry(
            link=link,
            title=item.get("title") if isinstance(item.get("title"), str) else None,
            claims=_claims({"author": _json_author(item)}),
            html=((html, link or response.final_url),) if isinstance(html, str) else (),
            pictures=_addresses(response.final_url, named),
        )


def _json_author(item: dict[str, Any]) -> Any:
    """Return the name of the first author of a JSON Feed's entry; version 1.0 had only one author."""
    authors = item.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else item.get("author")
    return first.get("name") if isinstance(first, dict) else None


def _claims(said: dict[str, Any]) -> str | None:
    return "; ".join(f"{name}: {value}" for name, value in said.items() if isinstance(value, str) and value) or None


def _may_be_picture(file: dict[str, Any]) -> bool:
    # The name says more: podcast tools call every enclosure audio.
    if is_picture_file(str(file.get("url") or file.get("href") or file.get("src") or "")):
        return True
    stated = str(file.get("type") or file.get("mime_type") or file.get("medium") or "image")
    return stated.startswith("image")


def _addresses(base: str, named: list[Any]) -> tuple[str, ...]:
    """Return the absolute URLs of what a feed names, each once."""
    resolved = (_absolute_url(base, url) for url in named)
    return tuple(dict.fromkeys(url for url in resolved if url))


def _absolute_url(base: str, url: Any) -> str | None:
    return resolve_web_url(base, url) if isinstance(url, str) and url.strip() else None
