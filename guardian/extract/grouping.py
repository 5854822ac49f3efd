"""Groups the URLs that a page writes into pictures: the renditions of each, largest first, with the best context."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from guardian.extract.data_urls import decode_data_url, is_data_url, media_type_of
from guardian.extract.scripts import has_placeholder
from guardian.model import Context, PageImage, ReferrerPolicy, Skipped, SkipReason
from guardian.urls.addresses import address_key, escape_unprintable, resolve_url
from guardian.urls.rendition_names import are_renditions, rendition_rank
from guardian.urls.renditions import picture_key

MAX_PICTURES = 3_000
"""Pictures of one page beyond these are left out and named: such pages are made by machines."""

_LONGEST_ADDRESS = 8_000
_LONGEST_INLINE = 10_000_000
"""Characters: a longer data: URL is left out."""

_SMALLEST_INLINE = 200
"""Bytes; a smaller picture within a page is a placeholder or a blurred preview."""

# File names of what lazy loaders show until the picture has come.
_PLACEHOLDER = re.compile(
    r"(?:^|[/_.-])(?:blank|spacer|placeholder|transparent|loading|loader|spinner|pixel|grey|gray|lazy|1x1)[^/]{0,12}"
    r"\.(?:gif|png|svg|jpe?g|webp)(?:\?|$)",
    re.IGNORECASE,
)


@dataclass(slots=True, eq=False)
class _Picture:
    """One picture: every URL that the page has written for it, each with the context in which it stood."""

    mentions: list[tuple[str, Context]] = field(default_factory=list)
    referrer_policy: ReferrerPolicy | None = None


class ImageGrouping:
    """Collects the pictures of one page in its own order, and what was left out of it."""

    def __init__(self, page_url: str) -> None:
        self._page_url = page_url
        self._shown: list[_Picture | PageImage] = []
        self._by_key: dict[str, _Picture] = {}
        self._others: dict[str, set[_Picture]] = {}
        self._inline = set[str]()
        self._skipped: dict[tuple[str, SkipReason], Skipped] = {}

    def leave_out(self, url: str, reason: SkipReason, detail: str) -> None:
        """Note something that is no picture to fetch; each URL once for each reason."""
        shown = escape_unprintable(url)
        self._skipped[shown, reason] = Skipped(shown, reason, detail)

    def address(self, base: str, raw: str) -> str | None:
        """Return the absolute URL of a picture that a page or style sheet writes; None for what cannot be fetched.

        What a person would miss is noted as left out.
        """
        address = raw.strip()
        if is_data_url(address):
            return None
        if len(address) > _LONGEST_ADDRESS:
            self.leave_out(address[:200], SkipReason.BAD_ADDRESS, f"longer than {_LONGEST_ADDRESS} characters")
            return None
        if not address or address.startswith(("#", "about:", "javascript:", "{", "blob:")) or has_placeholder(address):
            return None

        whole = resolve_url(base, address)
        parts = urlsplit(whole) if whole else None
        if whole is None or parts is None or parts.scheme not in ("http", "https"):
            self.leave_out(address[:200], SkipReason.BAD_ADDRESS, "not a web address")
            return None
        if parts.path.lower().endswith((".svg", ".svgz")):
            self.leave_out(whole, SkipReason.VECTOR, "an SVG drawing")
            return None
        return escape_unprintable(whole)

    def add(self, addresses: list[str], context: Context, policy: ReferrerPolicy | None = None) -> None:
        """Note one mention of a picture: its URLs, best first, and the referrer policy of the element if it has one.

        Only the best URL and its renditions say which picture it is, since many pictures share one placeholder.
        """
        best = addresses[0]
        keys = [picture_key(url) for url in addresses if url == best or are_renditions(url, best)]
        picture = next((self._by_key[key] for key in keys if key in self._by_key), None)
        if picture is None:
            picture = _Picture()
            self._shown.append(picture)

        for key in keys:
            self._by_key.setdefault(key, picture)
        picture.mentions += [(url, context) for url in addresses]
        picture.referrer_policy = picture.referrer_policy or policy
        for url in addresses[1:]:
            if picture_key(url) not in keys:
                self._others.setdefault(url, set()).add(picture)

    def add_inline(self, url: str, context: Context) -> None:
        """Note a picture that stands in the page as a data: URL. Repeated ones count once."""
        if url in self._inline:
            return
        self._inline.add(url)

        decoded = _decode_inline(url, context)
        if isinstance(decoded, Skipped):
            self.leave_out(decoded.url, decoded.reason, decoded.detail)
        else:
            self._shown.append(decoded)

    def all(self) -> list[PageImage | Skipped]:
        """Return the pictures in the order of the page, then what was left out."""
        if len(self._shown) > MAX_PICTURES:
            detail = f"{len(self._shown) - MAX_PICTURES} more pictures on one page"
            self.leave_out(self._page_url, SkipReason.BUDGET, detail)

        # What several pictures show until they are loaded is none of them.
        placeholders = {url for url, pictures in self._others.items() if len(pictures) > 1 or _PLACEHOLDER.search(url)}
        images: list[PageImage | Skipped] = []
        for shown in self._shown[:MAX_PICTURES]:
            images.append(_page_image(shown, placeholders) if isinstance(shown, _Picture) else shown)
        return [*images, *self._skipped.values()]


def _page_image(picture: _Picture, placeholders: set[str]) -> PageImage:
    """Return a picture with its largest rendition first. Of renditions of one size the page's first one is first."""
    mentions = [mention for mention in picture.mentions if mention[0] not in placeholders] or picture.mentions

    by_key: dict[str, str] = {}
    for url, _ in mentions:
        key = address_key(url)
        if key not in by_key or (url.startswith("https:") and by_key[key].startswith("http:")):
            by_key[key] = url
    # Stable, so the page's own order decides where the URLs say nothing about size.
    urls = sorted(by_key.values(), key=rendition_rank, reverse=True)

    # A caption says more about a picture than its alternative text does.
    context = max((context for _, context in mentions), key=lambda one: bool(one.caption) * 2 + bool(one.alt))
    return PageImage(urls[0], context, tuple(urls[1:]), referrer_policy=picture.referrer_policy)


def _decode_inline(url: str, context: Context) -> PageImage | Skipped:
    """Return the picture in a data: URL, or why it is left out."""
    shown = f"data:{url[5:].partition(',')[0][:40]}"
    if len(url) > _LONGEST_INLINE:
        return Skipped(shown, SkipReason.TOO_LARGE, f"{len(url)} characters inside the page")
    if "svg" in media_type_of(url):
        return Skipped(shown, SkipReason.VECTOR, "an SVG drawing inside the page")

    raw = decode_data_url(url)
    if raw is None:
        return Skipped(shown, SkipReason.NOT_AN_IMAGE, "cannot be decoded")
    if len(raw) < _SMALLEST_INLINE:
        return Skipped(shown, SkipReason.TOO_SMALL, f"a placeholder of {len(raw)} bytes inside the page")
    return PageImage(None, context, inline=raw)
