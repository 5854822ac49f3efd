"""Tells whether the file of a picture is cut off, by what its format says of where it ends; decodes nothing."""

from collections.abc import Callable
from typing import Literal

_SOS, _EOI = 0xDA, b"\xff\xd9"
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES = 273, 279, 324, 325
_BOXES = {b"ftyp", b"meta", b"moov", b"moof", b"mdat", b"free", b"skip", b"uuid", b"styp", b"sidx"}
"""Types of the boxes at the top of ISO media files (AVIF)."""

_TIFF_SIZES = {3: 2, 4: 4}
"""Bytes of the two types in which TIFF files write offsets and counts: SHORT and LONG."""


def is_cut_off(content: bytes) -> bool:
    """Return whether a picture's file ends before its format says; False for formats that are not known here.

    JPEG, PNG, GIF, WebP, AVIF, TIFF and uncompressed BMP are known. Bytes after the end make no difference.
    """
    for is_format, ends_early in _FORMATS:
        if is_format(content):
            return ends_early(content)
    return False


def _jpeg(content: bytes) -> bool:
    """Look for the end of image after the first scan: thumbnails before it have ends of their own."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == _SOS:
            # Within a scan 0xFF is always followed by zero or a restart marker.
            return content.find(_EOI, at) < 0
        # Fill bytes before a marker, and markers without a length.
        at += 1 if marker == 0xFF else 2 if marker == 0x01 or 0xD0 <= marker <= 0xD8 else 2 + _big(content, at + 2, 2)
    return True


def _png(content: bytes) -> bool:
    at = 8
    while at + 12 <= len(content):
        length = _big(content, at, 4)
        if content[at + 4 : at + 8] == b"IEND":
            return False
        at += 12 + length
    return True


def _gif(content: bytes) -> bool:
    at = 13 + _colour_table(content, 10)
    while at < len(content):
        kind = content[at]
        if kind == 0x3B:
            return False
        if kind == 0x2C:
            at += 11 + _colour_table(content, at + 9)
        elif kind == 0x21:
            at += 2
        else:
            # Not a block: what the file is from here on nobody knows, but it does not end here.
            return False
        # Sub-blocks, each led by its length; one of length zero ends them.
        while at < len(content) and content[at]:
            at += 1 + content[at]
        at += 1
    return True


def _colour_table(content: bytes, at: int) -> int:
    """Return the bytes of the colour table that the flags at this place announce."""
    flags = content[at] if at < len(content) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(content: bytes) -> bool:
    return 8 + _little(content, 4, 4) > len(content)


def _iso_media(content: bytes) -> bool:
    """Walk the boxes at the top of the file: each says how long it is."""
    at = 0
    # A box of another type is data that was appended to the picture.
    while at + 8 <= len(content) and content[at + 4 : at + 8] in _BOXES:
        size = _big(content, at, 4)
        if size == 0:
            # Size 0: the box reaches to the end of the file (ISO/IEC 14496-12, 4.2), so nothing can be missing.
            return False
        length = _big(content, at + 8, 8) if size == 1 else size
        if length < 8:
            return False
        at += length
    return at > len(content)


def _bmp(content: bytes) -> bool:
    pixels, width, height = _little(content, 10, 4), _little(content, 18, 4), _little(content, 22, 4)
    bits, compression = _little(content, 28, 2), _little(content, 30, 4)
    if compression not in (0, 3):
        return False
    # Rows end at multiples of four bytes; a negative height means that the rows go from top to bottom.
    rows = min(height, (1 << 32) - height)
    return pixels + (width * bits + 31) // 32 * 4 * rows > len(content)


def _tiff(content: bytes) -> bool:
    """Compare where the strips or tiles of the first picture end."""
    order: Literal["little", "big"] = "little" if content[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(content[at : at + size], order)

    def values(entry: int) -> list[int]:
        size, count = _TIFF_SIZES.get(number(entry + 2, 2), 0), number(entry + 4, 4)
        at = entry + 8 if size * count <= 4 else number(entry + 8, 4)
        # More values than the file has bytes are no values.
        return [number(at + size * i, size) for i in range(count)] if size and at + size * count <= len(content) else []

    first = number(4, 4)
    if first + 2 > len(content):
        return True
    tags = {
        number(at, 2): at for at in (first + 2 + 12 * i for i in range(number(first, 2))) if at + 12 <= len(content)
    }
    for offsets, sizes in ((_STRIP_OFFSETS, _STRIP_BYTES), (_TILE_OFFSETS, _TILE_BYTES)):
        if offsets in tags and sizes in tags:
            parts = zip(values(tags[offsets]), values(tags[sizes]), strict=False)
            return any(start + size > len(content) for start, size in parts)
    return False


def _big(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "big")


def _little(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "little")


_FORMATS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], bool]], ...] = (
    (lambda content: content.startswith(b"\xff\xd8"), _jpeg),
    (lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda content: content.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda content: content.startswith(b"RIFF") and content[8:12] == b"WEBP", _webp),
    (lambda content: content[4:8] == b"ftyp", _iso_media),
    (lambda content: content.startswith(b"BM"), _bmp),
    (lambda content: content.startswith((b"II*\x00", b"MM\x00*")), _tiff),
)
