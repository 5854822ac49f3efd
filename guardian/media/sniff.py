"""Tells pages and pictures by their first bytes, since servers are often wrong about types."""

from guardian.model import Response

# JPEG, PNG, GIF, BMP, TIFF in both byte orders, ICO, and JPEG XL bare and in a container.
_PICTURES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF8",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"\x00\x00\x01\x00",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
)
_TYPES = (
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"GIF8", "image/gif", ".gif"),
    (b"BM", "image/bmp", ".bmp"),
    (b"II*\x00", "image/tiff", ".tif"),
    (b"MM\x00*", "image/tiff", ".tif"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon", ".ico"),
    (b"\xff\x0a", "image/jxl", ".jxl"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl", ".jxl"),
)
# HTML begins with any of these, or holds one soon: many pages have no doctype.
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<meta", b"<div", b"<p>", b"<img", b"<figure")


def begins_as_picture(start: bytes) -> bool:
    """Return whether bytes begin as an image file does.

    Any RIFF file is taken for WebP, and any ISO media file (ftyp) for AVIF or HEIC; decoding tells them apart.
    """
    return start.startswith(_PICTURES) or start[:4] == b"RIFF" or start[4:8] == b"ftyp"


def picture_type(content: bytes) -> tuple[str, str]:
    """Return the media type of an image file and the suffix of its name, by its first bytes.

    What is not recognised is "application/octet-stream" with the suffix ".bin".
    """
    for start, media_type, suffix in _TYPES:
        if content.startswith(start):
            return media_type, suffix
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", ".webp"
    if content[4:8] == b"ftyp":
        is_avif = content[8:12] in (b"avif", b"avis")
        return ("image/avif", ".avif") if is_avif else ("image/heic", ".heic")
    return "application/octet-stream", ".bin"


def is_picture(response: Response) -> bool:
    """Return whether a response begins as image files do, or is declared to be an image (Content-Type)."""
    start = response.content[:16]
    stated = (response.header("content-type") or "").strip().lower()
    # A declared image is taken as one even when its bytes are unknown: decoding it will say what is wrong.
    return begins_as_picture(start) or stated.startswith("image/")


def is_page(response: Response) -> bool:
    """Return whether a response is HTML, to be searched for pictures."""
    start = response.content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n\x0c")
    if begins_as_picture(start):
        return False

    stated = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if stated in ("text/html", "application/xhtml+xml"):
        return True

    # SVG is markup too, but no page.
    lowered = start.lower()
    return lowered.startswith(b"<") and not lowered.startswith(b"<svg") and any(tag in lowered for tag in _MARKUP)
