"""Which of the many addresses that a page writes are one picture: joined, ranked, with its fullest words."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from guardian.extract.data_urls import decoded, is_data_url, kind_of
from guardian.model import Context, PageImage, Skipped, SkipReason
from guardian.urls.addresses import address_key, joined, printed
from guardian.urls.rendition_names import are_renditions, rank
from guardian.urls.renditions import picture_key

MAX_PICTURES = 3_000
"""Pictures of one page beyond these are left out and named: such pages are made by machines."""

_LONGEST_ADDRESS = 8_000
_LONGEST_INLINE = 10_000_000
_SMALLEST_INLINE = 200
_STAND_IN = re.compile(
    r"(?:^|[/_.-])(?:blank|spacer|placeholder|transparent|loading|loader|spinner|pixel|grey|gray|lazy|1x1)[^/]{0,12}"
    r"\.(?:gif|png|svg|jpe?g|webp)(?:\?|$)",
    re.IGNORECASE,
)


@dataclass(slots=True, eq=False)
class _Picture:
    """One picture: every address the page has written for it, with the words that stood there."""

    mentions: list[tuple[str, Context]] = field(default_factory=list)


class ImageGrouping:
    """The pictures of one page in its own order, and what was left out beside them."""

    def __init__(self, page_url: str) -> None:
        self._page_url = page_url
        self._shown: list[_Picture | PageImage] = []
        self._by_key: dict[str, _Picture] = {}
        self._stand_ins: dict[str, set[_Picture]] = {}
        self._inside = set[str]()
        self._omissions: dict[tuple[str, SkipReason], Skipped] = {}

    def leave_out(self, url: str, reason: SkipReason, detail: str) -> None:
        """Name something that is no picture to fetch; each address once for each reason."""
        shown = printed(url)
        self._omissions[shown, reason] = Skipped(shown, reason, detail)

    def address(self, base: str, raw: str) -> str | None:
        """The whole address of what a page or sheet writes; None for what cannot be fetched.

        An omission names that where a person would miss it.
        """
        address = raw.strip()
        if is_data_url(address):
            return None
        if len(address) > _LONGEST_ADDRESS:
            self.leave_out(address[:200], SkipReason.BAD_ADDRESS, f"longer than {_LONGEST_ADDRESS} characters")
            return None
        if not address or address.startswith(("#", "about:", "javascript:", "{", "blob:")):
            return None
        whole = joined(base, address)
        parts = urlsplit(whole) if whole else None
        if whole is None or parts is None or parts.scheme not in ("http", "https"):
            self.leave_out(address[:200], SkipReason.BAD_ADDRESS, "not a web address")
            return None
        if parts.path.lower().endswith((".svg", ".svgz")):
            self.leave_out(whole, SkipReason.VECTOR, "an SVG drawing")
            return None
        return printed(whole)

    def add(self, addresses: list[str], context: Context) -> None:
        """One mention of a picture: its addresses, best first.

        Only the best one, and those of its name, say which picture it is: many pictures share one placeholder.
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
        for url in addresses[1:]:
            if picture_key(url) not in keys:
                self._stand_ins.setdefault(url, set()).add(picture)

    def add_inside(self, url: str, context: Context) -> None:
        """A picture written into the page as a data: address, once however often it stands there."""
        if url not in self._inside:
            self._inside.add(url)
            held = _inline(url, context)
            if isinstance(held, Skipped):
                self.leave_out(held.url, held.reason, held.detail)
            else:
                self._shown.append(held)

    def all(self) -> list[PageImage | Skipped]:
        """The pictures in the page's order, then what was left out."""
        if len(self._shown) > MAX_PICTURES:
            detail = f"{len(self._shown) - MAX_PICTURES} more pictures on one page"
            self.leave_out(self._page_url, SkipReason.BUDGET, detail)
        # What stands in for several pictures until they are loaded is none of them.
        shared = {url for url, pictures in self._stand_ins.items() if len(pictures) > 1 or _STAND_IN.search(url)}
        seen = [self._image(one, shared) if isinstance(one, _Picture) else one for one in self._shown[:MAX_PICTURES]]
        return [*seen, *self._omissions.values()]

    def _image(self, picture: _Picture, shared: set[str]) -> PageImage:
        """The largest rendition with the fullest words; within one size the page's own order counts."""
        mentions = [mention for mention in picture.mentions if mention[0] not in shared] or picture.mentions
        spelled: dict[str, str] = {}
        for url, _ in mentions:
            key = address_key(url)
            if key not in spelled or (url.startswith("https:") and spelled[key].startswith("http:")):
                spelled[key] = url
        urls = list(spelled.values())
        urls.sort(key=rank, reverse=True)
        words = max((context for _, context in mentions), key=lambda one: bool(one.caption) * 2 + bool(one.alt))
        return PageImage(image_url=urls[0], context=words, also_at=tuple(urls[1:]))


def _inline(url: str, context: Context) -> PageImage | Skipped:
    """A data: address, decoded (RFC 2397)."""
    shown = f"data:{url[5:].partition(',')[0][:40]}"
    if len(url) > _LONGEST_INLINE:
        return Skipped(shown, SkipReason.TOO_LARGE, f"{len(url)} characters inside the page")
    if "svg" in kind_of(url):
        return Skipped(shown, SkipReason.VECTOR, "an SVG drawing inside the page")
    raw = decoded(url)
    if raw is None:
        return Skipped(shown, SkipReason.NOT_AN_IMAGE, "cannot be decoded")
    if len(raw) < _SMALLEST_INLINE:
        return Skipped(shown, SkipReason.TOO_SMALL, f"a placeholder of {len(raw)} bytes inside the page")
    return PageImage(None, context, inline=raw)
