"""Table of the ways in which publishing systems and content networks write a rendition's size into host and path.

A pattern is added only where no other system would write the same, so that two pictures never get one key.
"""

import re
from dataclasses import dataclass

_AS_UPLOADED = float("inf")
_SIZE_UNKNOWN = 0.0
_RESIZED = 2560.0
"""Pixels. A resized picture whose width is not stated is hardly larger than the original, but may well be smaller."""

_NAMED_WIDTHS = {
    "pico": 16,
    "icon": 32,
    "thumb": 50,
    "thumbnail": 50,
    "small": 100,
    "cart": 125,
    "compact": 160,
    "medium": 240,
    "home": 250,
    "large": 480,
    "grande": 600,
    "master": 2048,
    # Flickr's letters, and SmugMug's.
    "th": 60,
    "l": 800,
    "xl": 1024,
    "x2": 1280,
    "x3": 1600,
    "x4": 2048,
    "x5": 2560,
    "s": 75,
    "t": 100,
    "q": 150,
    "m": 240,
    "n": 320,
    "w": 400,
    "z": 640,
    "c": 800,
    "b": 1024,
    "h": 1600,
    "k": 2048,
    "3k": 3072,
    "4k": 4096,
    "5k": 5120,
    "6k": 6144,
    "o": _AS_UPLOADED,
}
"""Width in pixels for each name of a size. They are rough, since only their order counts."""

_SHOPIFY = "pico|icon|thumb|small|compact|medium|large|grande|master"
# Possessive quantifiers (*+) keep a hostile URL that repeats steps to one pass. The lookahead before the width is
# needed because a named group keeps its text even when the rest of its alternative then fails.
_THUMBOR = (
    r"/(?:unsafe|[\w-]{27}=)(?:/(?:trim|(?:[a-z]+-)?fit-in|\d+x\d+:\d+x\d+|(?=-?\d*x-?\d*/)-?(?P<width>\d*)x-?\d*|smart"
    r"|left|center|right|top|middle|bottom|filters:[^/]*)(?=/))*+"
)
_CLOUDINARY = r"(?:ar|[acefghqtwxy]|dpr|fl|if|[$]\w{1,20})_[^/]+"


@dataclass(frozen=True, slots=True)
class RenditionPattern:
    """How one system writes renditions.

    `pattern` is searched in host and path, and `replacement` for what it matches gives what all renditions share. Its
    groups `width` and `size` hold the width in pixels or a word for it; `default_width` counts where neither matched.
    """

    pattern: re.Pattern[str]
    replacement: str
    default_width: float

    def width(self, found: re.Match[str]) -> float:
        """Return the width in pixels that a match of the pattern states; infinity for the original."""
        groups = found.groupdict()
        if groups.get("width"):
            # Google's s0 is as it was uploaded.
            return float(groups["width"]) or _AS_UPLOADED
        return named_width(groups.get("size") or "", self.default_width)


def named_width(word: str, default_width: float = _AS_UPLOADED) -> float:
    """Return roughly how many pixels wide a rendition with this name of a size is."""
    return float(_NAMED_WIDTHS.get(word.lower(), default_width))


def rendition_pattern_of(host_and_path: str) -> tuple[RenditionPattern, re.Match[str]] | None:
    """Return the first pattern that a host and path match, with the match; None when none does."""
    for known in _PATTERNS:
        if found := known.pattern.search(host_and_path):
            return known, found
    return None


def _pattern(pattern: str, replacement: str, default_width: float = _AS_UPLOADED) -> RenditionPattern:
    return RenditionPattern(re.compile(pattern), replacement, default_width)


_PATTERNS = (
    # Publishing systems and shops.
    _pattern(
        r"/thumb(/[0-9a-f]/[0-9a-f]{2}/[^/]+)/(?:loss[a-z]{1,4}-)?(page\d+-)?(?:[a-z0-9-]{1,20}-)?(?P<width>\d{2,5})px-[^/]+$",
        r"\1\2",
    ),
    _pattern(r"/sites/([^/]+)/files/styles/[^/]+/p(?:ublic|rivate)/", r"/sites/\1/files/", _SIZE_UNKNOWN),
    _pattern(
        r"/media/catalog/product/cache/(?:\d+/)?(?:\w+/)?(?:(?P<width>\d{2,5})x\d*/)?[0-9a-f]{32}/",
        "/media/catalog/product/",
        _SIZE_UNKNOWN,
    ),
    _pattern(r"/images/stencil/(?:original|(?P<width>\d{2,5})(?:w|x\d+))/", "/images/stencil/"),
    _pattern(r"/(\d+)-(?P<size>[a-z]+)_default(?:_[a-z0-9]+)?/", r"/\1/", 800.0),
    _pattern(rf"^(?=.*/(?:s/files|cdn/shop)/)(.*)_(?P<size>{_SHOPIFY})(?:@[23]x)?(?=\.\w{{3,4}}$)", r"\1"),
    _pattern(r"/uploads/(?P<size>thumbnail|small|medium|large)_(?=[^/]+_[0-9a-f]{10}\.\w+$)", "/uploads/"),
    _pattern(r"/content/images/size/[wh](?P<width>\d{2,5})(?:h\d+)?/(?:format/\w+/)?", "/content/images/"),
    _pattern(r"/optimized/(\d+X/(?:[0-9a-f]/)+[0-9a-f]+)_\d+_(?P<width>\d{2,5})x\d+(?=\.\w+$)", r"/original/\1"),
    _pattern(r"/static/([0-9a-f]{32})/[0-9a-f]{5}/", r"/static/\1/", _RESIZED),
    # Content networks and server modules that resize pictures.
    _pattern(r"/_ipx/[^/]+(?=/)", "", _RESIZED),
    _pattern(r"/cdn-cgi/image/[^/]+(?=/)", "", _RESIZED),
    _pattern(rf"/image/upload(?:/{_CLOUDINARY})*(?:/v\d{{1,12}})?(?=/)", "/image/upload"),
    _pattern(r"^(ik\.imagekit\.io/[^/]+)/tr:(?:[^/]*?\bw-(?P<width>\d{2,5}))?[^/]*(?=/)", r"\1"),
    _pattern(r"^(a\.storyblok\.com/f/.*\.\w{3,4})/m(?:/(?P<width>\d{1,5})x\d+)?(?:/.*)?$", r"\1"),
    _pattern(_THUMBOR, "", _RESIZED),
    # Platforms that host the pictures of many people.
    _pattern(r"^(static\.wixstatic\.com/media/[^/]+)/v1/(?:fill|fit|crop)/.*$", r"\1"),
    _pattern(
        r"^([\w.-]*(?:googleusercontent|blogspot|ggpht)\.com/.*?)[/=][swh](?P<width>\d{1,5})(?:-[\w-]+)?(?=/|$)", r"\1"
    ),
    _pattern(r"^i\.pinimg\.com/(?:originals|(?P<width>\d{2,4})x\d{0,4}(?:_RS)?)/", "i.pinimg.com/"),
    _pattern(
        r"^miro\.medium\.com(?:/v2)?/(?:max|resize:fi(?:t|ll)):?/?(?P<width>\d{2,5})(?::\d{2,5})?/", "miro.medium.com/"
    ),
    _pattern(
        r"^([\w.-]*(?:media|images)-amazon\.com/.*)\._(?:[^/.\d]*(?P<width>\d{2,5}))?[^/.]*_(?=\.\w{3,4}$)", r"\1"
    ),
    _pattern(r"^i\.ebayimg\.com/(?:thumbs/)?(.*)/s-l(?P<width>\d{2,4})\.\w{3,4}$", r"i.ebayimg.com/\1"),
    _pattern(
        r"^i\.etsystatic\.com/(.*/[a-z]{2,4})_(?:fullxfull|(?P<width>\d{2,4})x(?:\d+|N))(?=\.)", r"i.etsystatic.com/\1"
    ),
    _pattern(r"^([\w.-]+\.alicdn\.com/.*?\.(?:jpe?g|png|webp))_(?:(?P<width>\d{2,4})x\d+)?.*$", r"\1"),
    _pattern(r"^\d+\.media\.tumblr\.com/([0-9a-f]{32}/[0-9a-f]+-\w{2})/s(?P<width>\d{2,4})x\d+\w*/.*$", r"tumblr/\1"),
    _pattern(r"^\d*\.?media\.tumblr\.com/(.*/tumblr_\w+)_(?P<width>\d{2,4})(?:sq)?(?=\.\w{3,4}$)", r"tumblr/\1"),
    _pattern(
        r"^[\w.]*staticflickr\.com/(?:\d+/)+(\d+)_[0-9a-f]+(?:_(?P<size>[a-z]|[3-6]k))?\.\w{3,4}$", r"flickr/\1", 500.0
    ),
    _pattern(r"^photos\.smugmug\.com/(?:.*/)?(i-\w+)/.*/(?P<size>\w{1,2})/[^/]+$", r"smugmug/\1"),
    _pattern(r"^preview\.redd\.it/(?:[\w-]+-v0-)?", "i.redd.it/", _SIZE_UNKNOWN),
)

IMAGE_PROXIES = (
    re.compile(r"^i\d\.wp\.com/(?P<source>(?:[\w-]+\.)+[a-z]{2,}/.+)$"),
    re.compile(rf"{_THUMBOR}/(?P<source>(?:[\w-]+\.)+[a-z]{{2,}}/.+)$"),
)
"""Proxies whose own URL holds that of the picture they render, without its scheme. Group `source`: host and path."""
