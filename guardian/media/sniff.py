"""Tells pages and pictures by their first bytes, since servers are often wrong about types."""

from dataclasses import dataclass

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
# HTML begins with any of these, or holds one soon: many pages have no doctype.
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<meta", b"<div", b"<p>", b"<img", b"<figure")


@dataclass(frozen=True, slots=True)
class PictureType:
    """What files of a kind end with, without the dot, and their media type."""

    ending: str
    media_type: str


_TYPES = (
    (b"\xff\xd8\xff", PictureType("jpg", "image/jpeg")),
    (b"\x89PNG\r\n\x1a\n", PictureType("png", "image/png")),
    (b"GIF8", PictureType("gif", "image/gif")),
    (b"BM", PictureType("bmp", "image/bmp")),
    (b"II*\x00", PictureType("tif", "image/tiff")),
    (b"MM\x00*", PictureType("tif", "image/tiff")),
)


def begins_as_picture(start: bytes) -> bool:
    """Return whether bytes begin as an image file does.

    Any RIFF file is taken for WebP, and any ISO media file (ftyp) for AVIF or HEIC; decoding tells them apart.
    """
    return start.startswith(_PICTURES) or start[:4] == b"RIFF" or start[4:8] == b"ftyp"


def picture_type(start: bytes) -> PictureType:
    """Return the kind of an image file by how it begins; `bin`, application/octet-stream, for what is none of those."""
    for begins, kind in _TYPES:
        if start.startswith(begins):
            return kind
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return PictureType("webp", "image/webp")
    if start[4:8] == b"ftyp":
        is_avif = start[8:12] in (b"avif", b"avis")
        return PictureType("avif", "image/avif") if is_avif else PictureType("heic", "image/heic")
    return PictureType("bin", "application/octet-stream")


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
