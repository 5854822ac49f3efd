"""Reads how a picture is to be turned, and turns its pixels. Metadata is read and never written."""

import re
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image

UPRIGHT = 1
"""The orientation of a picture that needs no turning."""

_TAG = 0x0112
_HEADER = b"Exif\0\0"
# SHORT is what EXIF asks for; some programs write LONG, or signed kinds (TIFF 6.0, section 2).
_WHOLE_NUMBERS = {3: "H", 4: "I", 8: "h", 9: "i"}

# EXIF 2.32, 4.6.4 A: which row and column of the scene the first row and column of the file are.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


def orientation_of(info: Mapping[Any, Any], file_format: str) -> int:
    """Return the orientation (1-8) in which pixels are stored; 1 where none is stated or none can be read.

    `info` is that of an image that Pillow has loaded. Read from EXIF, and where that has none from XMP. The pixels of a
    TIFF are upright once they are loaded. Those of an AVIF are turned by its own `irot` and `imir` properties alone,
    which Pillow states as its EXIF orientation.
    """
    if file_format == "TIFF":
        return UPRIGHT
    return orientation_in_exif(_exif_of(info)) or _orientation_in_xmp(info) or UPRIGHT


def orientation_in_exif(exif: bytes) -> int | None:
    """Return the orientation (1-8) that an EXIF block states; None without one.

    Only the first directory is looked through, and nothing else in it: whatever its other fields hold cannot hinder.
    """
    block = exif.removeprefix(_HEADER)
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return None

    (start,) = struct.unpack_from(f"{order}I", block, 4)
    if start + 2 > len(block):
        return None
    (entries,) = struct.unpack_from(f"{order}H", block, start)

    found = None
    for at in range(start + 2, min(start + 2 + 12 * entries, len(block) - 11), 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", block, at)
        # A wrong turn is worse than none: only a number that stands in the entry itself counts, as it does in browsers.
        if tag == _TAG and kind in _WHOLE_NUMBERS and 1 <= values <= 4 // struct.calcsize(_WHOLE_NUMBERS[kind]):
            (value,) = struct.unpack_from(f"{order}{_WHOLE_NUMBERS[kind]}", block, at + 8)
            found = value if 1 <= value <= 8 else found
    return found


def is_turned(orientation: int) -> bool:
    """Return whether width and height change places when a picture is set upright."""
    return orientation in (5, 6, 7, 8)


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image set upright; itself when it is so already."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _exif_of(info: Mapping[Any, Any]) -> bytes:
    block = info.get("exif")
    if isinstance(block, bytes):
        return block
    # ImageMagick writes it into PNG as text: a name, a length, and hexadecimal digits on the lines that follow.
    text = info.get("Raw profile type exif")
    try:
        return bytes.fromhex("".join(str(text).split("\n")[3:])) if text else b""
    except ValueError:
        return b""


def _orientation_in_xmp(info: Mapping[Any, Any]) -> int | None:
    packet = info.get("XML:com.adobe.xmp") or info.get("xmp") or b""
    encoded = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    stated = _IN_XMP.search(encoded) if isinstance(encoded, bytes) else None
    return int(stated[1]) if stated else None
