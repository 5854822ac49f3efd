"""Decodes what there is of files that are cut off, of the formats whose decoders want all or nothing (WebP, AVIF).

What is missing is filled up in several ways. Rows are coded from the top down, so those that come out the same are
the file's; where they differ, the file has ended.
"""

import io
import struct
from collections.abc import Callable, Iterator

from PIL import Image, ImageChops

GREY = 128
"""The grey level that stands for missing pixels."""

# Bytes that are appended in place of the missing ones: one byte repeated, or zeros after one other byte. Several are
# tried, since a decoder may refuse some of them.
_REPEATED = (b"\0", b"\x55", b"\xaa", b"\xff")
_BEGINNINGS = (b"\xff", b"\x55", b"\x01", b"\x80", b"\x10", b"\xaa")
# Decoded pictures that are compared: two fillers may happen to give the same pixels.
_ENOUGH = 3
_MOST_MISSING = 64 * 1024**2
"""Bytes; a file that promises more is not filled up."""


def missing_bytes(content: bytes) -> int:
    """Return how many bytes a WebP or AVIF says that it has and has not; 0 for whole files and for other formats."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        size = int.from_bytes(content[4:8], "little")
        return max(0, size + 8 - len(content))
    return max(0, _end_of_boxes(content) - len(content)) if content[4:8] == b"ftyp" else 0


def whole_frames(content: bytes) -> bytes | None:
    """Return an animated WebP up to its last whole frame; None for other files and where no frame is whole."""
    is_animated = content[12:16] == b"VP8X" and len(content) > 30 and content[20] & 0x02
    if not is_animated:
        return None

    # RIFF: four letters, the length of the data, the data, a byte more if that length is odd.
    at, frames = 12, 0
    while at + 8 <= len(content):
        (size,) = struct.unpack_from("<I", content, at + 4)
        end = at + 8 + size + size % 2
        if end > len(content):
            break
        frames += content[at : at + 4] == b"ANMF"
        at = end
    return content[:4] + struct.pack("<I", at - 8) + content[8:at] if frames else None


def decoded_part(content: bytes, missing: int, allow: Callable[[int, int], None]) -> tuple[Image.Image, int] | None:
    """Return the picture with the rows that are there, and how many these are (from the top, as stored).

    `missing` is what `missing_bytes` says; `allow` is called with width and height before anything is decoded. The
    other rows are grey. None when too little is there.
    """
    decoded: list[Image.Image] = []
    if missing > _MOST_MISSING:
        return None
    for filler in _fillers(missing):
        try:
            image = Image.open(io.BytesIO(content + filler), formats=("WEBP", "AVIF"))
        except (OSError, ValueError):
            return None
        allow(*image.size)
        try:
            image.load()
        # The decoder refuses this filler, but may take another one.
        except (OSError, ValueError, RuntimeError):
            continue
        decoded.append(image)
        if len(decoded) == _ENOUGH:
            break
    if len(decoded) < 2:
        return None

    shown = decoded[0]
    rows = min(_rows_in_common(shown, other) for other in decoded[1:])
    shown.paste(_grey(shown.mode), (0, rows, shown.width, shown.height))
    return (shown, rows) if rows else None


def _fillers(missing: int) -> Iterator[bytes]:
    yield from (byte * missing for byte in _REPEATED)
    yield from ((beginning + b"\0" * missing)[:missing] for beginning in _BEGINNINGS)


def _rows_in_common(one: Image.Image, other: Image.Image) -> int:
    """Return how many rows from the top are the same in both."""
    if one.size != other.size or one.mode != other.mode:
        return 0
    # By default the box of pictures with alpha is that of the differences in alpha alone.
    box = ImageChops.difference(one, other).getbbox(alpha_only=False)
    return one.height if box is None else box[1]


def _grey(mode: str) -> int | tuple[int, ...]:
    bands = Image.getmodebands(mode)
    colours = (GREY,) * bands
    if mode.endswith("A"):
        colours = (*colours[:-1], 255)
    return colours if bands > 1 else GREY


def _end_of_boxes(content: bytes) -> int:
    """Return where the last box of an ISO media file (ISO/IEC 14496-12, 4.2) ends, by what it says of its size."""
    at = 0
    while at + 8 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        if size == 1 and at + 16 <= len(content):
            (size,) = struct.unpack_from(">Q", content, at + 8)
        # 0: to the end of the file, wherever that is.
        if size < 8:
            return len(content)
        at += size
    return at
