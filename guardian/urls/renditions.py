"""Recognises renditions: URLs of one picture that differ only in the size, format or freshness they ask for.

Only what content networks and publishing systems write into URLs for this purpose counts. Two pictures that fall into
one would be worse than one that is seen twice.
"""

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from guardian.urls.addresses import address_key, resolve_url
from guardian.urls.rendition_patterns import IMAGE_PROXIES, named_width, rendition_pattern_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Parameters that ask for a size, a format or a quality.
_SIZES = _words(
    "w h width height wid hei size s sz dpr maxwidth maxheight max-w max-h imwidth imheight imdensity "
    "q quality qlt f fm format fmt auto fit resize crop sharp strip scale zoom mode downsize rect ar im tr "
    "impolicy optimize ssl usm op_usm op_sharpen resmode scl lossy lossless fl cs bg bgc blur trim "
    "output-quality output-format x-oss-process x-image-process ixlib ixid fp-x fp-y fp-z "
    "odnheight odnwidth odnbg"
)
# Sizes where a file is named, and otherwise as likely the picture's name: photo.php?s=1, photo.php?s=2.
_PERHAPS_NAMES = _words("s sz size f q scale zoom crop resize mode im tr fl cs bg")
# Of these, none is a name where it stands beside a width or a format.
_NO_NAMES_BESIDE_SIZES = _words("q scale zoom crop resize mode fl cs bg")
_SURELY_SIZES = _words("w h width height fit fm auto format")
# Signatures and expiry times: they change with every request, and the picture is named before them.
_SIGNATURES = _words("expires signature key-pair-id policy hmac sig oh oe stp ccb edm efg ig_cache_key")
_SIGNATURES_OF_PROXIES = _words("hash sig signature token auth")
_SIGNED_BY = ("x-amz-", "x-goog-", "_nc_")
# Nobody asks for so few pixels, so ?width=7 is the seventh picture.
_PICTURE_NUMBER = re.compile(r"\d|1[0-5]")
_QUALITY = re.compile(r"\d{2,3}|auto.*|[a-z]_.*", re.IGNORECASE)
_FRESHNESS = frozenset({"v", "ver", "version", "t", "ts", "timestamp", "_", "cb", "cachebuster", "rev", "itok"})
# In the order in which they count.
_WIDTH_PARAMETERS = ("w", "width", "wid", "imwidth", "maxwidth", "max-w", "size", "s", "sz", "resize", "fit", "format")
# 600, 600x400, Jetpack's 600,400 and Squarespace's 600w.
_WIDTH_VALUE = re.compile(r"(\d{1,6})\d*(?:w|[x,]\d*)?")

_ENDING = r"\.(?:jpe?g|png|webp|avif|gif)"
# WordPress and its kin: photo-1024x683.jpg, photo-scaled.jpg; Shopify: photo_1024x.jpg, photo_600x600@2x.jpg;
# Webflow: photo-p-500.jpg; converters: photo.jpg.webp.
_SUFFIX = re.compile(
    r"(?:-(\d{2,5})x\d{2,5}|-scaled|_(\d{2,5})x\d{0,5}(?:_crop_[a-z]{1,12})?|-p-(\d{3,4})|_thumb)?"
    rf"(?:@([23])x)?(?:\.progressive)?({_ENDING})(\.(?:webp|avif))?$",
    re.IGNORECASE,
)
_OPTION = r"[a-z]{1,3}_[\w.:-]+"
# Options of image proxies as a segment of the path: /w_600,h_400,c_fill/, /width=600,quality=75/.
_OPTION_SEGMENT = re.compile(
    rf"/(?:{_OPTION}(?:,{_OPTION})+|(?<=/fetch/){_OPTION}|(?:\w+=[\w.-]+)(?:,\w+=[\w.-]+)*)(?=/)", re.IGNORECASE
)
_SIZE_OPTION = re.compile(r"(?:^|[,/])(?:[wh]_\d|(?:width|height|w|h)=\d)", re.IGNORECASE)
_SEGMENT_WIDTH = re.compile(r"(?:^|[,/&])(?:w_|w:|width[=:]|w=)(\d{2,5})", re.IGNORECASE)
# Options packed into the value of one parameter: im=Resize,width=300; image/resize,w_300; tr=w-300; imageView2/2/w/300.
_QUERY_OPTION_WIDTH = re.compile(r"[,=/]w(?:idth)?[=_/-](\d{2,5})", re.IGNORECASE)
# phpBB and vBulletin: file.php?id=3&t=1 is the thumbnail of file.php?id=3&mode=view. XenForo: attachments/cat-jpg.12/
_FORUM = re.compile(r"/(?:download/file|attachment)\.php$")
_FORUM_VIEWS = frozenset({"t", "mode", "thumb", "stc", "d", "sid"})
_FORUM_FILE = re.compile(r"/attachments/[^/]+-(?:jpe?g|png|gif|webp)\.\d+/?$")
# Twitter names its sizes: ?format=jpg&name=small.
_TWITTER_MEDIA = re.compile(r"^pbs\.twimg\.com/media/")
# WordPress makes photo-scaled.jpg of every upload that is wider than this many pixels.
_SCALED = re.compile(r"-scaled\.\w{3,4}$")
_SCALED_WIDTH = 2560.0
# Facebook and Instagram.
_STP_WIDTH = re.compile(r"[?&]stp=[^&]*[_.-][sp](\d{2,5})x")
# A URL within a URL, as proxies write it: /resize/https://host/p.jpg, /fetch/https%3A%2F%2Fhost%2Fp.jpg.
_INNER_URL = re.compile(r"/(https?)(?::|%3A)(?:/|%2F){1,2}([^/%].*)$")


@lru_cache(maxsize=2048)
def picture_key(url: str) -> str:
    """Return a key that all renditions of one picture share: host, path and the parameters that identify it.

    Sizes, formats, cache busters and signatures are left out. The URL of a proxy has the key of the picture that the
    proxy renders.
    """
    parts = urlsplit(address_key(url))
    pairs = _identifying_parameters(parts)
    proxied = _proxied_url(parts, pairs)
    if proxied is not None:
        return picture_key(proxied)

    place = parts.netloc + parts.path
    if known := rendition_pattern_of(place):
        pattern, found = known
        place = place[: found.start()] + found.expand(pattern.replacement) + place[found.end() :]
    place = _SUFFIX.sub(lambda match: match[5], _OPTION_SEGMENT.sub(_without_size, place))
    return f"{place}?{urlencode(sorted(pairs))}" if pairs else place


def _identifying_parameters(parts: SplitResult) -> list[tuple[str, str]]:
    """Return the query parameters that say which picture is meant, names in lower case, without size and freshness."""
    is_file = _SUFFIX.search(parts.path) is not None
    pairs = [(name.lower(), value) for name, value in parse_qsl(parts.query)]
    ignored = _ignored_parameters(parts, pairs, is_file)
    return [(name, value) for name, value in pairs if _identifies(name, value, ignored, is_file)]


def _ignored_parameters(parts: SplitResult, pairs: list[tuple[str, str]], is_file: bool) -> frozenset[str]:
    """Return the names of parameters that say nothing about which picture is meant, unless their values do."""
    # Without a file name before it, ?v= may be the picture's own name rather than its age.
    ignored = _SIZES | _FRESHNESS | _SIGNATURES if is_file else _SIZES
    if _FORUM.search(parts.path):
        ignored = ignored | _FORUM_VIEWS
    if _TWITTER_MEDIA.search(parts.netloc + parts.path):
        ignored = ignored | {"name"}

    # Where no file is named at all, a short parameter may be the only name that the picture has.
    names_file = is_file or any("://" in value or _SUFFIX.search(value) for _, value in pairs)
    if not names_file:
        has_sizes = any(name in _SURELY_SIZES for name, _ in pairs)
        ignored = ignored - (_PERHAPS_NAMES - _NO_NAMES_BESIDE_SIZES if has_sizes else _PERHAPS_NAMES)
    return ignored


def _identifies(name: str, value: str, ignored: frozenset[str], is_file: bool) -> bool:
    """Return whether a query parameter says which picture is meant."""
    # A proxy names the picture it renders in its query: that, not the sizes beside it, is the picture.
    if _SUFFIX.search(value):
        return True

    if not is_file:
        if name == "q" and not _QUALITY.fullmatch(value):
            # A search word, not a quality.
            return True
        if name in _SURELY_SIZES and _PICTURE_NUMBER.fullmatch(value):
            return True

    is_signature = is_file and name.startswith(_SIGNED_BY)
    return name not in ignored and not is_signature


def _proxied_url(parts: SplitResult, pairs: list[tuple[str, str]]) -> str | None:
    """Return the URL of the picture file that a proxy is asked to render; None when the proxy's URL holds none.

    `pairs` are the identifying parameters of the proxy's URL.
    """
    path = parts.path
    without_scheme = _source_without_scheme(parts)
    if without_scheme is not None:
        inner = f"https://{without_scheme}?{parts.query}"
    elif found := _INNER_URL.search(path):
        is_escaped = "%2F" in found[2] and "/" not in found[2]
        inner = f"{found[1]}://{unquote(found[2]) if is_escaped else found[2]}"
        # An escaped URL brings its own query along; then the query behind it belongs to the proxy.
        inner += f"?{parts.query}" if parts.query and not is_escaped else ""
    else:
        values = [value for name, value in pairs if name not in _SIGNATURES_OF_PROXIES]
        if len(values) != 1 or not values[0].startswith(("/", "http:", "https:")):
            return None
        inner = resolve_url(f"https://{parts.netloc}{path}", values[0]) or ""

    # Only a shorter URL can be the inner one. So a URL that names itself again and again comes to an end.
    is_file = _SUFFIX.search(inner.partition("?")[0]) is not None
    return inner if is_file and len(inner) < len(parts.geturl()) else None


def _source_without_scheme(parts: SplitResult) -> str | None:
    """Return host and path of the picture where a proxy writes them without a scheme into its own path."""
    for proxy in IMAGE_PROXIES:
        if found := proxy.search(parts.netloc + parts.path):
            return found["source"]
    return None


def stated_width(url: str) -> float:
    """Return the width in pixels that a URL asks for; infinity when it asks for none, which is the original.

    0 stands for a thumbnail of unknown size.
    """
    parts = urlsplit(url)
    width = _width_in_query(parts)
    if width is None:
        width = _width_in_options(url, parts)
    if width is None and (known := rendition_pattern_of(parts.netloc + parts.path)):
        pattern, found = known
        width = pattern.width(found)
    if width is None:
        width = _width_in_file_name(parts)
    if width is not None:
        return width

    # A proxy or a converter hardly makes more of a picture than the picture itself.
    suffix = _SUFFIX.search(parts.path)
    is_converted = suffix is not None and suffix[6] is not None
    is_derived = (
        _SCALED.search(parts.path) or is_converted or _proxied_url(parts, _identifying_parameters(parts)) is not None
    )
    return _SCALED_WIDTH if is_derived else float("inf")


def _width_in_query(parts: SplitResult) -> float | None:
    """Return the width that a parameter of its own states: ?w=300, ?t=1 of forums, ?name=small of Twitter."""
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    for name in _WIDTH_PARAMETERS:
        if found := _WIDTH_VALUE.fullmatch(query.get(name, "")):
            return float(found[1])

    if _FORUM.search(parts.path) and {"t", "thumb", "stc"} & query.keys():
        return 0.0
    if _TWITTER_MEDIA.search(parts.netloc + parts.path) and "name" in query:
        return named_width(query["name"])
    return None


def _width_in_options(url: str, parts: SplitResult) -> float | None:
    """Return the width among the options that a proxy takes in one piece of its path or query."""
    for pattern, text in (
        (_SEGMENT_WIDTH, parts.path),
        (_STP_WIDTH, url),
        (_QUERY_OPTION_WIDTH, unquote(parts.query)),
    ):
        if found := pattern.search(text):
            return float(found[1])
    return None


def _width_in_file_name(parts: SplitResult) -> float | None:
    """Return the width that the end of a file name states: cat-1024x683.jpg, cat_600x600@2x.jpg, cat_thumb.jpg."""
    suffix = _SUFFIX.search(parts.path)
    if suffix is None:
        return None
    if width := suffix[1] or suffix[2] or suffix[3]:
        density = float(suffix[4] or 1)
        return float(width) * density
    return 0.0 if "_thumb" in suffix[0].lower() else None


def is_forum_file(url: str) -> bool:
    """Return whether a forum serves an attached file under this URL, though nothing in it says that it is a picture."""
    before_query = url.partition("?")[0]
    return bool(_FORUM.search(before_query) or _FORUM_FILE.search(before_query))


def _without_size(segment: re.Match[str]) -> str:
    """Return the replacement for a path segment of options: nothing when they hold a size, which names no picture."""
    return "" if _SIZE_OPTION.search(segment[0]) else segment[0]
