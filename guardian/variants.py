"""One picture under many addresses: which addresses differ only in the size or freshness that they ask for.

Only spellings that content networks and publishing systems use for renditions of one picture are joined.
"""

import re
from urllib.parse import parse_qsl, urlsplit

from guardian.addresses import address_key

_SIZES = frozenset(
    {"w", "h", "width", "height", "wid", "hei", "size", "s", "sz", "dpr", "maxwidth", "maxheight", "max-w", "max-h"}
    | {"q", "quality", "qlt", "fm", "format", "fmt", "auto", "fit", "resize", "crop", "sharp", "strip", "scale", "zoom"}
    | {"imwidth", "imheight", "impolicy", "optimize", "ssl", "usm", "output-quality", "output-format", "downsize"}
)
# Sizes beside a picture's name, and otherwise as likely the name itself: photo.php?s=1, photo.php?s=2.
_PERHAPS_NAMES = frozenset({"s", "sz", "size", "q", "scale", "zoom", "crop", "resize"})
# Signatures and addresses that expire: what they sign is named before them.
_SIGNATURES = frozenset(
    {
        "expires",
        "signature",
        "key-pair-id",
        "policy",
        "hmac",
        "sig",
        "oh",
        "oe",
        "stp",
        "ccb",
        "edm",
        "efg",
        "ig_cache_key",
    }
)
_SIGNED_BY = ("x-amz-", "x-goog-", "_nc_")
_FRESHNESS = frozenset({"v", "ver", "version", "t", "ts", "timestamp", "_", "cb", "cachebuster", "rev", "itok"})
_STATED_WIDTH = ("w", "width", "wid", "imwidth", "maxwidth", "max-w", "size", "s", "sz", "resize", "fit", "format")
# 600, 600x400, Jetpack's 600,400 and Squarespace's 600w.
_SIDE = re.compile(r"(\d{1,6})\d*(?:w|[x,]\d*)?")

# WordPress and its kin: photo-1024x683.jpg, photo-scaled.jpg; Shopify: photo_1024x.jpg, photo_600x600@2x.jpg.
_SUFFIX = re.compile(
    r"(?:-(\d{2,5})x\d{2,5}|-scaled|_(\d{2,5})x\d{0,5}(?:_crop_[a-z]{1,12})?|_(?:pico|icon|thumb|small|compact|medium|large|grande|master))?"
    r"(?:@[23]x)?(\.(?:jpe?g|png|webp|avif|gif))$",
    re.IGNORECASE,
)
# Cloudinary and its kin: /w_600,h_400,c_fill/; image proxies: /cdn-cgi/image/width=600,quality=75/.
_STEP = re.compile(
    r"/(?:(?:[a-z]{1,3}_[\w.:-]+)(?:,[a-z]{1,3}_[\w.:-]+)*|(?:\w+=[\w.-]+)(?:,\w+=[\w.-]+)*)(?=/)", re.IGNORECASE
)
# MediaWiki: /thumb/a/ab/Cat.jpg/250px-Cat.jpg beside /a/ab/Cat.jpg.
_WIKI = re.compile(r"/thumb(/[0-9a-f]/[0-9a-f]{2}/[^/]+)/(?:[a-z0-9-]{1,20}-)?(\d{2,5})px-[^/]+$")
# XenForo: /attachments/boat-jpg.17/. phpBB, vBulletin: file.php?id=3&t=1 is the thumbnail of file.php?id=3&mode=view.
_FORUM = re.compile(r"/(?:download/file|attachment)\.php$|/attachments/[^/]+-(?:jpe?g|png|webp|gif)\.\d+/?$")
_FORUM_VIEWS = frozenset({"t", "mode", "thumb", "stc", "d", "sid"})
# What stands between host and end of the path for the size alone (`cut`), with the width that it states, if any.
_CUTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^[\w.-]*(?:googleusercontent|blogspot|ggpht)\.com/.*?(?P<cut>[/=][swh](?P<width>\d{1,5})(?:-[\w-]+)?)(?=/|$)",
        r"^i\.pinimg\.com(?P<cut>/(?:originals|(?P<width>\d{2,4})x\d{0,4}(?:_RS)?))/",
        r"^miro\.medium\.com(?P<cut>(?:/v2)?/(?:max|resize:fi(?:t|ll)):?/?(?P<width>\d{2,5})(?::\d{2,5})?)/",
        r"^[\w.-]*(?:media|images)-amazon\.com/.*(?P<cut>\._[A-Z_]*(?P<width>\d{2,5})[A-Z0-9_,]*_)\.\w{3,4}$",
        r"^i\.ebayimg\.com/.*(?P<cut>/s-l(?P<width>\d{2,4}))\.\w{3,4}$",
        r"^static\.wixstatic\.com/media/[^/]+(?P<cut>/v1/.*)$",
        r"/sites/[^/]+/files(?P<cut>/styles/[^/]+/p(?:ublic|rivate))/",
        r"/media/catalog/product(?P<cut>/cache/[0-9a-f]{32})/",
    )
)
_NAMED_WIDTHS = {
    "pico": 16,
    "icon": 32,
    "thumb": 50,
    "small": 100,
    "compact": 160,
    "medium": 240,
    "large": 480,
    "grande": 600,
}
_AS_UPLOADED = re.compile(r"^/originals$|^[/=][swh]0")
_NAMED = re.compile(rf"_({'|'.join(_NAMED_WIDTHS)})(?:@[23]x)?\.\w{{3,4}}$", re.IGNORECASE)
_SCALED = re.compile(r"-scaled\.\w{3,4}$")
_SCALED_WIDTH = 2560.0
_SOCIAL_WIDTH = re.compile(r"[?&]stp=[^&]*[_.-][sp](\d{2,5})x")
_WIKI_WIDTH = re.compile(r"/thumb/.+/(?:[a-z0-9-]{1,20}-)?(\d{2,5})px-[^/]+$")
_STEP_WIDTH = re.compile(r"(?:^|[,/])(?:w_|width=|w=)(\d{2,5})", re.IGNORECASE)
_SIZE_STEP = re.compile(r"(?:^|[,/])(?:[wh]_\d|(?:width|height|w|h)=\d)", re.IGNORECASE)


def variant_key(url: str) -> str:
    """A name that all renditions of one picture share."""
    parts = urlsplit(address_key(url))
    place = parts.netloc + parts.path
    cut = _cut(place)
    path = (place[: cut.start("cut")] + place[cut.end("cut") :] if cut else place)[len(parts.netloc) :]
    path = _SUFFIX.sub(lambda match: match[3], _STEP.sub(_without_size, _WIKI.sub(r"\1", path)))
    # A proxy names the picture it renders in its query: that, not the sizes beside it, is the picture.
    # Without a file name before it, ?v= may be the picture's own name rather than its age.
    is_file = _SUFFIX.search(parts.path) is not None
    ignored = _SIZES | _FRESHNESS | _SIGNATURES if is_file else _SIZES
    if _FORUM.search(parts.path):
        ignored = ignored | _FORUM_VIEWS
    pairs = parse_qsl(parts.query)
    if not is_file and not any("/" in value or _SUFFIX.search(value) for _, value in pairs):
        ignored = ignored - _PERHAPS_NAMES
    query = sorted(
        (name, value)
        for name, value in pairs
        if name.lower() not in ignored and not (is_file and name.lower().startswith(_SIGNED_BY))
    )
    return f"{parts.netloc}{path}?{query}" if query else f"{parts.netloc}{path}"


def stated_width(url: str) -> float:
    """The width in pixels that an address asks for; infinity when it asks for none, which is the original."""
    parts = urlsplit(url)
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    for name in _STATED_WIDTH:
        if found := _SIDE.fullmatch(query.get(name, "")):
            return float(found[1])
    if _FORUM.search(parts.path) and {"t", "thumb", "stc"} & query.keys():
        return 0.0
    for pattern, text in ((_STEP_WIDTH, parts.path), (_WIKI_WIDTH, parts.path), (_SOCIAL_WIDTH, url)):
        if found := pattern.search(text):
            return float(found[1])
    if cut := _cut(parts.netloc + parts.path):
        # "s0" and no number at all: as it was uploaded, or made by a recipe whose size is not said.
        return float(cut.groupdict().get("width") or 0) or (float("inf") if _AS_UPLOADED.search(cut["cut"]) else 0.0)
    if (suffix := _SUFFIX.search(parts.path)) and (suffix[1] or suffix[2]):
        return float(suffix[1] or suffix[2])
    if named := _NAMED.search(parts.path):
        return float(_NAMED_WIDTHS[named[1].lower()])
    return _SCALED_WIDTH if _SCALED.search(parts.path) else float("inf")


def _cut(place: str) -> re.Match[str] | None:
    return next((found for pattern in _CUTS if (found := pattern.search(place))), None)


def is_forum_file(url: str) -> bool:
    """Whether an address is one under which forums hand out attached files, though nothing in it says picture."""
    return bool(_FORUM.search(url.partition("?")[0]))


def _without_size(match: re.Match[str]) -> str:
    return "" if _SIZE_STEP.search(match[0]) else match[0]
