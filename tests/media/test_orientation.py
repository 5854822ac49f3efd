"""Orientation is read by itself: whatever else an EXIF block holds, the picture decodes and stands upright."""

import io
import struct
from itertools import product
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from guardian.matching.features.image import decode
from guardian.matching.settings import MatchingSettings
from guardian.media.orientation import orientation_in_exif, orientation_of
from tests.matching.pictures import encoded, photograph

SETTINGS = MatchingSettings()
COFFEE = Image.fromarray(photograph("coffee", 160))

Entry = tuple[int, int, int, bytes]
"""Tag, type, count, and the four bytes of value or offset."""

BEHIND = struct.pack("<i", -72) + struct.pack("<i", 1) + b"\xff" * 8
"""What follows the directory of `block`, with one entry beside Orientation at byte 38: the rational -72/1."""


def block(entries: list[Entry], order: str = "<", behind: bytes = BEHIND) -> bytes:
    """An EXIF block of one directory."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    directory = b"".join(struct.pack(f"{order}HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return start + struct.pack(f"{order}IH", 8, len(entries)) + directory + struct.pack(f"{order}I", 0) + behind


def orientation(value: int, order: str = "<", kind: int = 3) -> Entry:
    number = struct.pack(f"{order}{'H' if kind == 3 else 'I'}", value)
    return (0x0112, kind, 1, number.ljust(4, b"\0"))


OFFSET = struct.pack("<I", 38)
ODD: dict[str, Entry] = {
    "a negative width": (0x0100, 9, 1, struct.pack("<i", -5)),
    "a width as text": (0x0100, 2, 4, b"5px\0"),
    "a negative resolution": (0x011A, 10, 1, OFFSET),
    "a resolution as text": (0x011A, 2, 4, b"72\0\0"),
    "a resolution of nothing": (0x011A, 5, 0, OFFSET),
    "a number of 64 bits": (0x9999, 16, 1, OFFSET),
    "a signed number of 64 bits": (0x9999, 17, 1, OFFSET),
    "an unknown type": (0x9999, 99, 1, OFFSET),
    "a value behind the end": (0x010F, 2, 500, struct.pack("<I", 60_000)),
    "too many values": (0x010F, 4, 2**31, OFFSET),
    "a directory behind the end": (0x8769, 4, 1, struct.pack("<I", 2**31)),
    "a directory of itself": (0x8769, 4, 1, struct.pack("<I", 8)),
    "a place as bytes": (0x8825, 1, 4, b"\xff\xff\xff\xff"),
    "a date as a float": (0x0132, 12, 1, OFFSET),
    "text that is no text": (0x010E, 2, 4, b"\xff\xfe\x80\x81"),
}


def holding(exif: bytes, file_format: str) -> bytes:
    """The picture as it is stored with this EXIF block."""
    if file_format == "AVIF":
        # The encoder takes EXIF apart, so it gets a good block, whose bytes are then overwritten.
        good = Image.Exif()
        good[0x0131] = "software" * 12
        content = bytearray(encoded(COFFEE, "AVIF", exif=good.tobytes(), quality=90))
        start = content.rindex(b"MM\0*", 0, content.index(b"software"))
        content[start : start + len(exif)] = exif
        return bytes(content)
    options: dict[str, Any] = {"save_all": True, "append_images": [COFFEE]} if file_format == "MPO" else {}
    prefix = b"Exif\0\0" if file_format in ("JPEG", "MPO") else b""
    return encoded(COFFEE, file_format, exif=prefix + exif, **options)


def stands(content: bytes, turn: Image.Transpose | None) -> bool:
    """Whether the picture decodes to COFFEE, turned so."""
    picture = decode(content, SETTINGS)
    expected = np.asarray(COFFEE if turn is None else COFFEE.transpose(turn)).astype(int)
    return (picture.height, picture.width) == expected.shape[:2] == picture.rgb.shape[:2] and float(
        np.abs(picture.rgb - expected).mean()
    ) < 8


@pytest.mark.parametrize("file_format", ["JPEG", "MPO", "PNG", "WEBP"])
def test_odd_fields_hinder_neither_decoding_nor_orientation(file_format: str) -> None:
    for name, odd in ODD.items():
        entries = sorted([orientation(6), odd])
        assert stands(holding(block(entries), file_format), Image.Transpose.ROTATE_270), name
        assert stands(holding(block([odd]), file_format), None), name


def test_an_avif_is_turned_by_its_own_properties_and_never_twice() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert stands(encoded(COFFEE, "AVIF", exif=exif.tobytes(), quality=90), Image.Transpose.ROTATE_270)
    for name, odd in ODD.items():
        # Such a file has no property that turns it, so what its EXIF says does not count (ISO/IEC 23008-12, A.2.1).
        assert stands(holding(block(sorted([orientation(6), odd])), "AVIF"), None), name


@pytest.mark.parametrize("number", range(1, 9))
def test_a_tiff_with_odd_tags_stands_upright(number: int) -> None:
    target = io.BytesIO()
    odd = [(33434, 10, 1, (-1, -5), True), (0x9999, 16, 1, 2**63, True), (283, 10, 1, (-72, 1), True)]
    tifffile.imwrite(target, np.asarray(COFFEE), photometric="rgb", extratags=[(274, 3, 1, number, True), *odd])
    turns = (None, 0, 3, 1, 5, 4, 6, 2)
    turn = turns[number - 1]
    assert stands(target.getvalue(), None if turn is None else Image.Transpose(turn))


@pytest.mark.parametrize(("number", "order", "kind"), list(product(range(1, 9), "<>", (3, 4))))
def test_what_is_stated(number: int, order: str, kind: int) -> None:
    exif = block([orientation(number, order, kind)], order)
    assert orientation_in_exif(exif) == orientation_in_exif(b"Exif\0\0" + exif) == number


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0",
        b"II*\0\x08\0\0\0",
        b"XX*\0" + block([orientation(6)])[4:],
        block([]),
        block([orientation(0)]),
        block([orientation(9)]),
        block([(0x0112, 2, 1, b"6\0\0\0")]),
        block([(0x0112, 3, 9, b"\6\0\0\0")]),
        block([(0x0112, 7, 1, b"\6\0\0\0")]),
        block([orientation(6)])[:16],
        b"II*\0\xff\xff\xff\xff" + block([orientation(6)])[8:],
    ],
)
def test_what_is_not_stated_turns_nothing(exif: bytes) -> None:
    assert orientation_in_exif(exif) is None


def test_xmp_counts_where_exif_has_none() -> None:
    packet = b'<rdf:Description tiff:Orientation="8"/>'
    assert orientation_of({"xmp": packet}, "JPEG") == 8
    assert orientation_of({"xmp": packet, "exif": block([orientation(3)])}, "JPEG") == 3
    assert orientation_of({"XML:com.adobe.xmp": "<tiff:Orientation>6</tiff:Orientation>"}, "PNG") == 6
    assert orientation_of({"xmp": packet}, "TIFF") == 1
    assert orientation_of({"Raw profile type exif": "no hexadecimal digits"}, "PNG") == 1


@examples(max_examples=60, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_have_an_answer(noise: bytes) -> None:
    for start in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        assert orientation_in_exif(start + noise) in (None, *range(1, 9))
