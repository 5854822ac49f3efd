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
_FRESHNESS = frozenset({"v", "ver", "version", "t", "ts", "timestamp", "_", "cb", "cachebuster", "rev", "itok"})
_STATED_WIDTH = ("w", "width", "wid", "imwidth", "maxwidth", "max-w", "size", "s", "sz")

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
_STEP_WIDTH = re.compile(r"(?:^|[,/])(?:w_|width=|w=)(\d{2,5})", re.IGNORECASE)
_SIZE_STEP = re.compile(r"(?:^|[,/])(?:[wh]_\d|(?:width|height|w|h)=\d)", re.IGNORECASE)


def variant_key(url: str) -> str:
    """A name that all renditions of one picture share."""
    parts = urlsplit(address_key(url))
    path = _SUFFIX.sub(lambda match: match[3], _STEP.sub(_without_size, parts.path))
    # A proxy names the picture it renders in its query: that, not the sizes beside it, is the picture.
    # Without a file name before it, ?v= may be the picture's own name rather than its age.
    ignored = _SIZES | _FRESHNESS if _SUFFIX.search(parts.path) else _SIZES
    query = sorted((name, value) for name, value in parse_qsl(parts.query) if name.lower() not in ignored)
    return f"{parts.netloc}{path}?{query}" if query else f"{parts.netloc}{path}"


def stated_width(url: str) -> float:
    """The width in pixels that an address asks for; infinity when it asks for none, which is the original."""
    parts = urlsplit(url)
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    for name in _STATED_WIDTH:
        if query.get(name, "").isdecimal():
            return float(query[name][:6])
    step, suffix = _STEP_WIDTH.search(parts.path), _SUFFIX.search(parts.path)
    if step:
        return float(step[1])
    if suffix and (suffix[1] or suffix[2]):
        return float(suffix[1] or suffix[2])
    return float("inf")


def _without_size(match: re.Match[str]) -> str:
    return "" if _SIZE_STEP.search(match[0]) else match[0]
