"""How publishing systems and content networks write the size of a rendition into its place: one row for each.

A row is added only where the whole pattern is its owner's own, so that two pictures never fall into one.
"""

import re
from dataclasses import dataclass

_AS_UPLOADED = float("inf")
_NO_SIZE_SAID = 0.0
_MADE = 2560.0
"""What is made of a picture, at a size that is not said, is hardly more than the picture itself."""

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
"""Only their order counts."""

_SHOPIFY = "pico|icon|thumb|small|compact|medium|large|grande|master"
# Each step whole and taken for good: what a hostile address repeats costs one pass. Looked at before it is taken,
# since a group that was tried in vain keeps what it tried.
_THUMBOR = (
    r"/(?:unsafe|[\w-]{27}=)(?:/(?:trim|(?:[a-z]+-)?fit-in|\d+x\d+:\d+x\d+|(?=-?\d*x-?\d*/)-?(?P<width>\d*)x-?\d*|smart"
    r"|left|center|right|top|middle|bottom|filters:[^/]*)(?=/))*+"
)
_CLOUDINARY = r"(?:ar|[acefghqtwxy]|dpr|fl|if|[$]\w{1,20})_[^/]+"


@dataclass(frozen=True, slots=True)
class RenditionPattern:
    """`pattern` is looked for in host and path; what it matches becomes `name`, which all renditions share.

    Its groups `width` and `size` hold the width in pixels or a word for it. `unsaid`: the width where neither matched.
    """

    pattern: re.Pattern[str]
    name: str
    unsaid: float

    def width(self, found: re.Match[str]) -> float:
        """The width in pixels that the address states."""
        groups = found.groupdict()
        if groups.get("width"):
            # Google's s0 is as it was uploaded.
            return float(groups["width"]) or _AS_UPLOADED
        return named_width(groups.get("size") or "", self.unsaid)


def named_width(word: str, unsaid: float = _AS_UPLOADED) -> float:
    """About how wide a size of this name is."""
    return float(_NAMED_WIDTHS.get(word.lower(), unsaid))


def rendition_pattern_of(place: str) -> tuple[RenditionPattern, re.Match[str]] | None:
    """The first row that knows a host and path, and what it found there."""
    return next(((row, found) for row in _SPELLINGS if (found := row.pattern.search(place))), None)


def _row(pattern: str, name: str, unsaid: float = _AS_UPLOADED) -> RenditionPattern:
    return RenditionPattern(re.compile(pattern), name, unsaid)


_SPELLINGS = (
    # Publishing systems and shops.
    _row(
        r"/thumb(/[0-9a-f]/[0-9a-f]{2}/[^/]+)/(?:loss[a-z]{1,4}-)?(page\d+-)?(?:[a-z0-9-]{1,20}-)?(?P<width>\d{2,5})px-[^/]+$",
        r"\1\2",
    ),
    _row(r"/sites/([^/]+)/files/styles/[^/]+/p(?:ublic|rivate)/", r"/sites/\1/files/", _NO_SIZE_SAID),
    _row(
        r"/media/catalog/product/cache/(?:\d+/)?(?:\w+/)?(?:(?P<width>\d{2,5})x\d*/)?[0-9a-f]{32}/",
        "/media/catalog/product/",
        _NO_SIZE_SAID,
    ),
    _row(r"/images/stencil/(?:original|(?P<width>\d{2,5})(?:w|x\d+))/", "/images/stencil/"),
    _row(r"/(\d+)-(?P<size>[a-z]+)_default(?:_[a-z0-9]+)?/", r"/\1/", 800.0),
    _row(rf"^(?=.*/(?:s/files|cdn/shop)/)(.*)_(?P<size>{_SHOPIFY})(?:@[23]x)?(?=\.\w{{3,4}}$)", r"\1"),
    _row(r"/uploads/(?P<size>thumbnail|small|medium|large)_(?=[^/]+_[0-9a-f]{10}\.\w+$)", "/uploads/"),
    _row(r"/content/images/size/[wh](?P<width>\d{2,5})(?:h\d+)?/(?:format/\w+/)?", "/content/images/"),
    _row(r"/optimized/(\d+X/(?:[0-9a-f]/)+[0-9a-f]+)_\d+_(?P<width>\d{2,5})x\d+(?=\.\w+$)", r"/original/\1"),
    _row(r"/static/([0-9a-f]{32})/[0-9a-f]{5}/", r"/static/\1/", _MADE),
    # Networks and modules that make pictures smaller.
    _row(r"/_ipx/[^/]+(?=/)", "", _MADE),
    _row(r"/cdn-cgi/image/[^/]+(?=/)", "", _MADE),
    _row(rf"/image/upload(?:/{_CLOUDINARY})*(?:/v\d{{1,12}})?(?=/)", "/image/upload"),
    _row(r"^(ik\.imagekit\.io/[^/]+)/tr:(?:[^/]*?\bw-(?P<width>\d{2,5}))?[^/]*(?=/)", r"\1"),
    _row(r"^(a\.storyblok\.com/f/.*\.\w{3,4})/m(?:/(?P<width>\d{1,5})x\d+)?(?:/.*)?$", r"\1"),
    _row(_THUMBOR, "", _MADE),
    # Places with the pictures of many people.
    _row(r"^(static\.wixstatic\.com/media/[^/]+)/v1/(?:fill|fit|crop)/.*$", r"\1"),
    _row(
        r"^([\w.-]*(?:googleusercontent|blogspot|ggpht)\.com/.*?)[/=][swh](?P<width>\d{1,5})(?:-[\w-]+)?(?=/|$)", r"\1"
    ),
    _row(r"^i\.pinimg\.com/(?:originals|(?P<width>\d{2,4})x\d{0,4}(?:_RS)?)/", "i.pinimg.com/"),
    _row(
        r"^miro\.medium\.com(?:/v2)?/(?:max|resize:fi(?:t|ll)):?/?(?P<width>\d{2,5})(?::\d{2,5})?/", "miro.medium.com/"
    ),
    _row(r"^([\w.-]*(?:media|images)-amazon\.com/.*)\._(?:[^/.\d]*(?P<width>\d{2,5}))?[^/.]*_(?=\.\w{3,4}$)", r"\1"),
    _row(r"^i\.ebayimg\.com/(?:thumbs/)?(.*)/s-l(?P<width>\d{2,4})\.\w{3,4}$", r"i.ebayimg.com/\1"),
    _row(
        r"^i\.etsystatic\.com/(.*/[a-z]{2,4})_(?:fullxfull|(?P<width>\d{2,4})x(?:\d+|N))(?=\.)", r"i.etsystatic.com/\1"
    ),
    _row(r"^([\w.-]+\.alicdn\.com/.*?\.(?:jpe?g|png|webp))_(?:(?P<width>\d{2,4})x\d+)?.*$", r"\1"),
    _row(r"^\d+\.media\.tumblr\.com/([0-9a-f]{32}/[0-9a-f]+-\w{2})/s(?P<width>\d{2,4})x\d+\w*/.*$", r"tumblr/\1"),
    _row(r"^\d*\.?media\.tumblr\.com/(.*/tumblr_\w+)_(?P<width>\d{2,4})(?:sq)?(?=\.\w{3,4}$)", r"tumblr/\1"),
    _row(
        r"^[\w.]*staticflickr\.com/(?:\d+/)+(\d+)_[0-9a-f]+(?:_(?P<size>[a-z]|[3-6]k))?\.\w{3,4}$", r"flickr/\1", 500.0
    ),
    _row(r"^photos\.smugmug\.com/(?:.*/)?(i-\w+)/.*/(?P<size>\w{1,2})/[^/]+$", r"smugmug/\1"),
    _row(r"^preview\.redd\.it/(?:[\w-]+-v0-)?", "i.redd.it/", _NO_SIZE_SAID),
)

PROXIES = (
    re.compile(r"^i\d\.wp\.com/(?P<place>(?:[\w-]+\.)+[a-z]{2,}/.+)$"),
    re.compile(rf"{_THUMBOR}/(?P<place>(?:[\w-]+\.)+[a-z]{{2,}}/.+)$"),
)
"""Those that write the address of the picture they render into their own without its scheme: host and path."""
