"""Finds the links of a page that a crawl may follow, and its style sheets."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from guardian.extract.css import css_imports
from guardian.model import Response
from guardian.urls.addresses import canonical_url, resolve_url, resolve_web_url

_NO_PAGE = (
    ".7z .aac .apk .avi .avif .bmp .bz2 .css .csv .dmg .doc .docx .eot .epub .exe .flac .gif .gz .heic .ico .ics .iso "
    ".jpeg .jpg .js .json .jxl .m4a .m4v .mkv .mov .mp3 .mp4 .mpeg .mpg .msi .ogg .otf .pdf .png .ppt .pptx .rar .rss "
    ".svg .tar .tgz .tif .tiff .ttf .wav .webm .webmanifest .webp .woff .woff2 .xls .xlsx .xml .zip"
)
_NO_PAGE_ENDINGS = tuple(_NO_PAGE.split())

MAX_LINKS = 5_000
"""Links of one page beyond these are not followed: such pages are made by machines."""

_LONGEST = 2_000
"""Characters of a URL; longer ones are hardly links."""

_REFRESH = re.compile(r"""^[\s\d.]{0,20}[;,]\s{0,20}url\s{0,20}=\s{0,20}["']?([^"']{1,2000})""", re.IGNORECASE)
_DELAY = re.compile(r"\s*(\d{0,6})")
_SOON = 5
"""Seconds after which a page that leads on is a redirect rather than the next picture of a show."""


@dataclass(frozen=True, slots=True)
class Links:
    """What a page links to: canonical URLs, each once, in its order. `more` counts the links beyond MAX_LINKS.

    `frames` are the pages that it shows within itself, or leads on to by itself within a few seconds; they are among
    `pages` if they may be followed.
    """

    pages: tuple[str, ...]
    sheets: tuple[str, ...]
    more: int = 0
    frames: tuple[str, ...] = ()


def links_on_page(tree: LexborHTMLParser, response: Response) -> Links:
    """Return what a page links to, except where the page or the link asks robots not to follow it (nofollow)."""
    base_url = base_of(tree, response)
    pages, sheets, frames = dict[str, None](), dict[str, None](), dict[str, None]()
    may_follow, more = not _says_nofollow(response, tree), 0
    for node in tree.css("a[href], area[href], iframe[src], frame[src], link[rel][href], meta[http-equiv], style"):
        if len(pages) + len(sheets) >= MAX_LINKS:
            more += 1
            continue

        if node.tag == "style":
            imported = (_absolute_url(base_url, url) for url in css_imports(node.text()))
            sheets |= {canonical_url(url): None for url in imported if url}
            continue

        attributes = node.attributes
        relations = (attributes.get("rel") or "").lower().split()
        whole = _absolute_url(base_url, attributes.get("href") or attributes.get("src") or _refresh_target(attributes))
        if whole is None:
            continue
        if node.tag == "link" and "stylesheet" in relations:
            sheets[canonical_url(whole)] = None
            continue

        # Of link elements only the next page of a series is one to visit; others name icons, feeds and the like.
        is_link = node.tag != "link" or "next" in relations
        name = urlsplit(whole).path.lower().rpartition("/")[2]
        # A wiki's page about a file has the file's name: /wiki/File:Cat.jpg.
        is_file = name.endswith(_NO_PAGE_ENDINGS) and ":" not in name
        is_frame = node.tag in ("iframe", "frame") and not _is_hidden(attributes)
        if (is_frame or _leads_on(attributes)) and not is_file:
            frames[canonical_url(whole)] = None
        if is_link and may_follow and "nofollow" not in relations and not is_file:
            pages[canonical_url(whole)] = None
    # A page that loads itself again shows nothing more.
    frames.pop(canonical_url(response.final_url), None)
    return Links(tuple(pages), tuple(sheets), more, tuple(frames))


def base_of(tree: LexborHTMLParser, response: Response) -> str:
    """Return the base URL of a page: what its base element states, if that is a web address, else its own URL."""
    base = tree.css_first("base[href]")
    stated = resolve_web_url(response.final_url, base.attributes.get("href") or "") if base else None
    return stated or response.final_url


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    """Return whether a frame is one that nobody sees, as those of trackers are."""
    style = (attributes.get("style") or "").lower().replace(" ", "")
    sides = {(attributes.get("width") or "").strip(), (attributes.get("height") or "").strip()}
    return "display:none" in style or bool(sides & {"0", "1", "0px", "1px"})


def _leads_on(attributes: dict[str, str | None]) -> bool:
    """Return whether a meta refresh is a redirect rather than the next picture of a show."""
    seconds = _DELAY.match(attributes.get("content") or "")
    is_refresh = (attributes.get("http-equiv") or "").lower() == "refresh"
    return is_refresh and seconds is not None and float(seconds[1] or 0) <= _SOON


def _says_nofollow(response: Response, tree: LexborHTMLParser) -> bool:
    words = [response.whole_header("x-robots-tag")]
    words += [node.attributes.get("content") or "" for node in tree.css('meta[name="robots" i]')]
    # "none" is short for "noindex, nofollow".
    return any({"nofollow", "none"} & set(said.lower().replace(",", " ").split()) for said in words)


def _refresh_target(attributes: dict[str, str | None]) -> str:
    """Return the URL to which a meta refresh leads; "javascript:", which is never followed, for other elements."""
    found = _REFRESH.search(attributes.get("content") or "")
    is_refresh = (attributes.get("http-equiv") or "").lower() == "refresh"
    return found[1] if found and is_refresh else "javascript:"


def _absolute_url(base: str, url: str) -> str | None:
    """Return the absolute http(s) URL of a link; None for other schemes, a missing host or an overlong URL."""
    whole = resolve_url(base, url)
    if whole is None:
        return None
    parts = urlsplit(whole)
    return whole if parts.scheme in ("http", "https") and parts.hostname and len(whole) <= _LONGEST else None
