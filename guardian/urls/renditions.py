"""One picture under many addresses: which addresses differ only in the size or freshness that they ask for.

Only spellings that content networks and publishing systems use for renditions of one picture are joined.
"""

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from guardian.urls.addresses import address_key, joined
from guardian.urls.rendition_patterns import PROXIES, named_width, rendition_pattern_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIZES = _words(
    "w h width height wid hei size s sz dpr maxwidth maxheight max-w max-h imwidth imheight imdensity "
    "q quality qlt f fm format fmt auto fit resize crop sharp strip scale zoom mode downsize rect ar im tr "
    "impolicy optimize ssl usm op_usm op_sharpen resmode scl lossy lossless fl cs bg bgc blur trim "
    "output-quality output-format x-oss-process x-image-process ixlib ixid fp-x fp-y fp-z "
    "odnheight odnwidth odnbg"
)
# Sizes beside a picture's name, and otherwise as likely the name itself: photo.php?s=1, photo.php?s=2.
_PERHAPS_NAMES = _words("s sz size f q scale zoom crop resize mode im tr fl cs bg")
# Of these, what stands beside a width or a format is surely no name.
_NO_NAMES_BESIDE_SIZES = _words("q scale zoom crop resize mode fl cs bg")
_SURELY_SIZES = _words("w h width height fit fm auto format")
# Signatures and addresses that expire: what they sign is named before them.
_SIGNATURES = _words("expires signature key-pair-id policy hmac sig oh oe stp ccb edm efg ig_cache_key")
_SIGNATURES_OF_PROXIES = _words("hash sig signature token auth")
_SIGNED_BY = ("x-amz-", "x-goog-", "_nc_")
# Nobody asks for a picture of so few pixels.
_NUMBER_OF_PICTURE = re.compile(r"\d|1[0-5]")
_QUALITY = re.compile(r"\d{2,3}|auto.*|[a-z]_.*", re.IGNORECASE)
_FRESHNESS = frozenset({"v", "ver", "version", "t", "ts", "timestamp", "_", "cb", "cachebuster", "rev", "itok"})
_STATED_WIDTH = ("w", "width", "wid", "imwidth", "maxwidth", "max-w", "size", "s", "sz", "resize", "fit", "format")
# 600, 600x400, Jetpack's 600,400 and Squarespace's 600w.
_SIDE = re.compile(r"(\d{1,6})\d*(?:w|[x,]\d*)?")

_ENDING = r"\.(?:jpe?g|png|webp|avif|gif)"
# WordPress and its kin: photo-1024x683.jpg, photo-scaled.jpg; Shopify: photo_1024x.jpg, photo_600x600@2x.jpg;
# Webflow: photo-p-500.jpg; converters: photo.jpg.webp.
_SUFFIX = re.compile(
    r"(?:-(\d{2,5})x\d{2,5}|-scaled|_(\d{2,5})x\d{0,5}(?:_crop_[a-z]{1,12})?|-p-(\d{3,4})|_thumb)?"
    rf"(?:@([23])x)?(?:\.progressive)?({_ENDING})(\.(?:webp|avif))?$",
    re.IGNORECASE,
)
_OPTION = r"[a-z]{1,3}_[\w.:-]+"
# Options of image proxies as a part of the path: /w_600,h_400,c_fill/, /width=600,quality=75/.
_STEP = re.compile(
    rf"/(?:{_OPTION}(?:,{_OPTION})+|(?<=/fetch/){_OPTION}|(?:\w+=[\w.-]+)(?:,\w+=[\w.-]+)*)(?=/)", re.IGNORECASE
)
_SIZE_STEP = re.compile(r"(?:^|[,/])(?:[wh]_\d|(?:width|height|w|h)=\d)", re.IGNORECASE)
_STEP_WIDTH = re.compile(r"(?:^|[,/&])(?:w_|w:|width[=:]|w=)(\d{2,5})", re.IGNORECASE)
# What a query holds as options of its own: im=Resize,width=300; image/resize,w_300; tr=w-300; imageView2/2/w/300.
_OPTION_WIDTH = re.compile(r"[,=/]w(?:idth)?[=_/-](\d{2,5})", re.IGNORECASE)
# phpBB and vBulletin: file.php?id=3&t=1 is the thumbnail of file.php?id=3&mode=view. XenForo: attachments/cat-jpg.12/
_FORUM = re.compile(r"/(?:download/file|attachment)\.php$")
_FORUM_VIEWS = frozenset({"t", "mode", "thumb", "stc", "d", "sid"})
_FORUM_FILE = re.compile(r"/attachments/[^/]+-(?:jpe?g|png|gif|webp)\.\d+/?$")
_NAMED_SIZES = re.compile(r"^pbs\.twimg\.com/media/")
_SCALED = re.compile(r"-scaled\.\w{3,4}$")
_SCALED_WIDTH = 2560.0
_SOCIAL_WIDTH = re.compile(r"[?&]stp=[^&]*[_.-][sp](\d{2,5})x")
# An address within an address, as proxies write it: /resize/https://host/p.jpg, /fetch/https%3A%2F%2Fhost%2Fp.jpg.
_INSIDE = re.compile(r"/(https?)(?::|%3A)(?:/|%2F){1,2}([^/%].*)$")


@lru_cache(maxsize=2048)
def picture_key(url: str) -> str:
    """A name that all renditions of one picture share."""
    parts = urlsplit(address_key(url))
    pairs = _naming(parts)
    inside = _inside(parts, pairs)
    if inside is not None:
        return picture_key(inside)
    place = parts.netloc + parts.path
    if known := rendition_pattern_of(place):
        row, found = known
        place = place[: found.start()] + found.expand(row.name) + place[found.end() :]
    place = _SUFFIX.sub(lambda match: match[5], _STEP.sub(_without_size, place))
    return f"{place}?{urlencode(sorted(pairs))}" if pairs else place


def _naming(parts: SplitResult) -> list[tuple[str, str]]:
    """What a query says beside size and freshness: which picture is meant."""
    # A proxy names the picture it renders in its query: that, not the sizes beside it, is the picture.
    # Without a file name before it, ?v= may be the picture's own name rather than its age.
    is_file = _SUFFIX.search(parts.path) is not None
    ignored = _SIZES | _FRESHNESS | _SIGNATURES if is_file else _SIZES
    if _FORUM.search(parts.path):
        ignored = ignored | _FORUM_VIEWS
    if _NAMED_SIZES.search(parts.netloc + parts.path):
        ignored = ignored | {"name"}
    pairs = [(name.lower(), value) for name, value in parse_qsl(parts.query)]
    if not is_file and not any("://" in value or _SUFFIX.search(value) for _, value in pairs):
        has_sizes = any(name in _SURELY_SIZES for name, _ in pairs)
        ignored = ignored - (_PERHAPS_NAMES - _NO_NAMES_BESIDE_SIZES if has_sizes else _PERHAPS_NAMES)
    return [
        (name, value)
        for name, value in pairs
        if _SUFFIX.search(value)
        or (name == "q" and not is_file and not _QUALITY.fullmatch(value))
        or (name in _SURELY_SIZES and not is_file and _NUMBER_OF_PICTURE.fullmatch(value))
        or not (name in ignored or (is_file and name.startswith(_SIGNED_BY)))
    ]


def _inside(parts: SplitResult, pairs: list[tuple[str, str]]) -> str | None:
    """The address of the picture file that a proxy is asked to render; None when none is written in the address."""
    path = parts.path
    bare = next((found for proxy in PROXIES if (found := proxy.search(parts.netloc + path))), None)
    if bare:
        whole = f"https://{bare['place']}?{parts.query}"
    elif found := _INSIDE.search(path):
        is_escaped = "%2F" in found[2] and "/" not in found[2]
        whole = f"{found[1]}://{unquote(found[2]) if is_escaped else found[2]}"
        whole += f"?{parts.query}" if parts.query and not is_escaped else ""
    else:
        named = [value for name, value in pairs if name not in _SIGNATURES_OF_PROXIES]
        if len(named) != 1 or not named[0].startswith(("/", "http:", "https:")):
            return None
        whole = joined(f"https://{parts.netloc}{path}", named[0]) or ""
    # Of two addresses the shorter is the inner one; what names itself for ever is left as it is.
    is_file = _SUFFIX.search(whole.partition("?")[0]) is not None
    return whole if is_file and len(whole) < len(parts.geturl()) else None


def stated_width(url: str) -> float:
    """The width in pixels that an address asks for; infinity when it asks for none, which is the original."""
    parts = urlsplit(url)
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    for name in _STATED_WIDTH:
        if found := _SIDE.fullmatch(query.get(name, "")):
            return float(found[1])
    if _FORUM.search(parts.path) and {"t", "thumb", "stc"} & query.keys():
        return 0.0
    if _NAMED_SIZES.search(parts.netloc + parts.path) and "name" in query:
        return named_width(query["name"])
    for pattern, text in (
        (_STEP_WIDTH, parts.path),
        (_SOCIAL_WIDTH, url),
        (_OPTION_WIDTH, unquote(parts.query)),
    ):
        if found := pattern.search(text):
            return float(found[1])
    if known := rendition_pattern_of(parts.netloc + parts.path):
        row, found = known
        return row.width(found)
    suffix = _SUFFIX.search(parts.path)
    if suffix and (width := suffix[1] or suffix[2] or suffix[3]):
        return float(width) * float(suffix[4] or 1)
    if suffix and "_thumb" in suffix[0].lower():
        return 0.0
    # What a proxy or a converter makes of a picture is hardly more than the picture itself.
    is_made = _SCALED.search(parts.path) or (suffix and suffix[6]) or _inside(parts, _naming(parts))
    return _SCALED_WIDTH if is_made else float("inf")


def is_forum_file(url: str) -> bool:
    """Whether an address is one under which forums hand out attached files, though nothing in it says picture."""
    place = url.partition("?")[0]
    return bool(_FORUM.search(place) or _FORUM_FILE.search(place))


def _without_size(match: re.Match[str]) -> str:
    return "" if _SIZE_STEP.search(match[0]) else match[0]
