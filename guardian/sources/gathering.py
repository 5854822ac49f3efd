"""Which of the many addresses that a page writes are one picture: joined, ranked, with its fullest words."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from guardian.addresses import address_key, printed
from guardian.model import Context, Omission, Response, Sighting
from guardian.variants import stated_width, variant_key

MAX_PICTURES = 3_000
"""Pictures of one page beyond these are left out and named: such pages are made by machines."""

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


class Gathering:
    """The pictures of one page in its own order, and what was left out beside them."""

    def __init__(self, response: Response, source: str) -> None:
        self._response, self._source = response, source
        self._shown: list[_Picture | Sighting | Omission] = []
        self._by_key: dict[str, _Picture] = {}
        self._stand_ins: dict[str, set[_Picture]] = {}
        self._inside = set[str]()
        self._omissions: dict[tuple[str, str], Omission] = {}

    def leave_out(self, url: str, reason: str, detail: str) -> None:
        """Name something that is no picture to fetch; each address once for each reason."""
        shown = printed(url)
        self._omissions[shown, reason] = Omission(shown, reason, detail)

    def add(self, addresses: list[str], context: Context) -> None:
        """One mention of a picture: its addresses, best first.

        Only the best one, and those of its name, say which picture it is: many pictures share one placeholder.
        """
        best = addresses[0]
        keys = [variant_key(url) for url in addresses if url == best or _is_same_name(url, best)]
        picture = next((self._by_key[key] for key in keys if key in self._by_key), None)
        if picture is None:
            picture = _Picture()
            self._shown.append(picture)
        for key in keys:
            self._by_key.setdefault(key, picture)
        picture.mentions += [(url, context) for url in addresses]
        for url in addresses[1:]:
            if variant_key(url) not in keys:
                self._stand_ins.setdefault(url, set()).add(picture)

    def add_inside(self, url: str, context: Context) -> None:
        """A picture written into the page as a data: address, once however often it stands there."""
        if url not in self._inside:
            self._inside.add(url)
            self._shown.append(inline_picture(url, self._response, self._source, context))

    def all(self) -> list[Sighting | Omission]:
        """The pictures in the page's order, then what was left out."""
        if len(self._shown) > MAX_PICTURES:
            detail = f"{len(self._shown) - MAX_PICTURES} more pictures on one page"
            self.leave_out(self._response.final_url, "budget", detail)
        # What stands in for several pictures until they are loaded is none of them.
        shared = {url for url, pictures in self._stand_ins.items() if len(pictures) > 1 or _STAND_IN.search(url)}
        seen = [self._sighting(one, shared) if isinstance(one, _Picture) else one for one in self._shown[:MAX_PICTURES]]
        return [*seen, *self._omissions.values()]

    def _sighting(self, picture: _Picture, shared: set[str]) -> Sighting:
        """The largest rendition with the fullest words; within one size the page's own order counts."""
        mentions = [mention for mention in picture.mentions if mention[0] not in shared] or picture.mentions
        spelled: dict[str, str] = {}
        for url, _ in mentions:
            key = address_key(url)
            if key not in spelled or (url.startswith("https:") and spelled[key].startswith("http:")):
                spelled[key] = url
        urls = list(spelled.values())
        widths = {url: stated_width(url) for url in urls}
        # Only where addresses say something about their size is there anything to rank by.
        if len(set(widths.values())) > 1:
            urls.sort(key=lambda url: -widths[url])
        words = max((context for _, context in mentions), key=lambda one: bool(one.caption) * 2 + bool(one.alt))
        return Sighting(
            source=self._source,
            image_url=urls[0],
            page_url=self._response.final_url,
            seen_at=self._response.fetched_at,
            context=words,
            also_at=tuple(urls[1:]),
            page=self._response,
        )


def _is_same_name(one: str, other: str) -> bool:
    """Whether two addresses differ in the file's ending only: hero.avif beside hero.jpg."""
    return variant_key(one).rpartition(".")[0] == variant_key(other).rpartition(".")[0]


def inline_picture(url: str, page: Response, source: str, context: Context) -> Sighting | Omission:
    """The picture that a data: address of a page holds, or why it is none."""
    head, _, body = url[5:].partition(",")
    kind = head.partition(";")[0].strip().lower()
    shown = f"data:{head[:40]}"
    if len(body) > _LONGEST_INLINE:
        return Omission(shown, "too_large", f"{len(body)} characters inside the page")
    if "svg" in kind:
        return Omission(shown, "vector", "an SVG drawing inside the page")
    try:
        raw = decoded(head, body)
    except ValueError:
        return Omission(shown, "not_an_image", "cannot be decoded")
    if len(raw) < _SMALLEST_INLINE:
        return Omission(shown, "too_small", f"a placeholder of {len(raw)} bytes inside the page")
    return Sighting(source, None, page.final_url, page.fetched_at, context, inline=raw, page=page)


def decoded(head: str, body: str) -> bytes:
    """What a data: address holds, `head` being the part before the comma (RFC 2397). Raises ValueError."""
    raw = unquote_to_bytes(body)
    if not head.lower().rstrip().endswith("base64"):
        return raw
    return base64.b64decode(re.sub(rb"\s", b"", raw).replace(b"-", b"+").replace(b"_", b"/") + b"==")
