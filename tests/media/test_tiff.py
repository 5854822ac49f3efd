"""TIFF pages of every depth and layout come out as the same picture."""

import contextlib
import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from guardian.errors import NotAnImage, OverLimit, TooPlain, Unmatchable
from guardian.matching.features.image import decode
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import encoded, photograph

SETTINGS = MatchingSettings()
COFFEE = photograph("coffee", 160)
GREY = np.asarray(Image.fromarray(COFFEE).convert("L"))
CMYK = np.asarray(Image.fromarray(COFFEE).convert("CMYK"))
OPAQUE = np.full(GREY.shape, 255, np.uint8)
DEEP = GREY.astype(np.uint16) * 257
SHARES = GREY / np.float64(255)

PLAIN = {"photometric": "minisblack"}
WHITE = {"photometric": "miniswhite"}
COLOUR = {"photometric": "rgb"}
INK = {"photometric": "separated"}
ALPHA = {"extrasamples": ["unassalpha"]}
PLANES = {"planarconfig": "separate"}


def tiff(values: NDArray[Any], **options: Any) -> bytes:
    target = io.BytesIO()
    tifffile.imwrite(target, values, **options)
    return target.getvalue()


def planes(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(np.moveaxis(values, 2, 0))


def deep(values: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return values.astype(np.uint16) * 257


def packed(bits: int, *, white_is_zero: bool = False, **options: Any) -> bytes:
    """Greys of odd depths, most significant bit first, each row beginning with a byte of its own."""
    most = (1 << bits) - 1
    numbers = GREY.astype(np.uint64) * most // 255
    numbers = most - numbers if white_is_zero else numbers
    by_bit = (numbers[:, :, None] >> np.arange(bits - 1, -1, -1, dtype=np.uint64)) & np.uint64(1)
    rows = np.packbits(by_bit.astype(np.uint8).reshape(GREY.shape[0], -1), axis=1)
    # Written as bytes, then named as what it is: tifffile writes no such numbers itself.
    target = io.BytesIO()
    kind = "miniswhite" if white_is_zero else "minisblack"
    tifffile.imwrite(target, rows, photometric=kind, rowsperstrip=rows.shape[0], metadata=None, **options)
    target.seek(0)
    with tifffile.TiffFile(target, mode="r+") as file:
        tags = file.pages[0].aspage().tags
        tags["ImageWidth"].overwrite(GREY.shape[1])
        tags["BitsPerSample"].overwrite(bits)
        return target.getvalue()


GREYS = {
    **{f"{bits} bits": packed(bits) for bits in (6, 10, 12, 14, 24)},
    **{f"{bits} bits, white is 0": packed(bits, white_is_zero=True) for bits in (6, 10, 12, 14)},
    "12 bits, big-endian": packed(12, byteorder=">"),
    "10 bits in 16": tiff(GREY.astype(np.uint16) * 4, **PLAIN),
    "12 bits in 16": tiff(GREY.astype(np.uint16) * 16, **PLAIN),
    "8 bits, white is 0": tiff(255 - GREY, **WHITE),
    "16 bits": tiff(DEEP, **PLAIN),
    "16 bits, big-endian": tiff(DEEP, byteorder=">", **PLAIN),
    "16 bits, LZW": encoded(Image.fromarray(DEEP), "TIFF", compression="tiff_lzw"),
    "16 bits, white is 0": tiff(65535 - DEEP, **WHITE),
    "16 bits, white is 0, deflate": tiff(65535 - DEEP, compression="zlib", predictor=True, **WHITE),
    "32 bits": tiff(DEEP.astype(np.uint32) * 65537, **PLAIN),
    "32 bits, white is 0": tiff(np.uint32(2**32 - 1) - DEEP.astype(np.uint32) * 65537, **WHITE),
    "64 bits": tiff(DEEP.astype(np.uint64) << 48, **PLAIN),
    "float16": tiff(SHARES.astype(np.float16), **PLAIN),
    "float32": tiff(SHARES.astype(np.float32), **PLAIN),
    "float64": tiff(SHARES, **PLAIN),
    "8 bits, alpha": tiff(np.dstack([GREY, OPAQUE]), **PLAIN, **ALPHA),
    "16 bits, alpha": tiff(deep(np.dstack([GREY, OPAQUE])), **PLAIN, **ALPHA),
    "16 bits, alpha, LZW": tiff(deep(np.dstack([GREY, OPAQUE])), compression="lzw", **PLAIN, **ALPHA),
    "16 bits, alpha, planes": tiff(planes(deep(np.dstack([GREY, OPAQUE]))), **PLAIN, **ALPHA, **PLANES),
    "JPEG": encoded(Image.fromarray(GREY), "TIFF", compression="jpeg", quality=95),
}

LAB = ImageCms.profileToProfile(
    Image.fromarray(COFFEE), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
)
assert LAB is not None
SIGNED_LAB = np.asarray(LAB)
FLOATS = COFFEE / np.float32(255)
LAYERED = np.dstack([COFFEE, OPAQUE])

COLOURS = {
    "palette": encoded(Image.fromarray(COFFEE).quantize(256), "TIFF"),
    "tiles": tiff(COFFEE, tile=(64, 64), **COLOUR),
    "planes": tiff(planes(COFFEE), **COLOUR, **PLANES),
    "planes, deflate": tiff(planes(COFFEE), compression="zlib", **COLOUR, **PLANES),
    "16 bits": tiff(deep(COFFEE), **COLOUR),
    "16 bits, planes": tiff(planes(deep(COFFEE)), **COLOUR, **PLANES),
    "16 bits, alpha": tiff(deep(LAYERED), **COLOUR, **ALPHA),
    "32 bits": tiff(COFFEE.astype(np.uint32) * 16843009, **COLOUR),
    "float16": tiff(FLOATS.astype(np.float16), **COLOUR),
    "float32": tiff(FLOATS, **COLOUR),
    "float32, deflate": tiff(FLOATS, compression="zlib", **COLOUR),
    "float32, alpha": tiff(np.dstack([FLOATS, OPAQUE / np.float32(255)]), **COLOUR, **ALPHA),
    "BigTIFF": tiff(COFFEE, bigtiff=True, **COLOUR),
    "CMYK": tiff(CMYK, **INK),
    "CMYK, planes": tiff(planes(CMYK), **INK, **PLANES),
    "CMYK, 16 bits": tiff(deep(CMYK), **INK),
    "CMYK, alpha": tiff(np.dstack([CMYK, OPAQUE]), **INK, **ALPHA),
    "CMYK, alpha, LZW": tiff(np.dstack([CMYK, OPAQUE]), compression="lzw", predictor=True, **INK, **ALPHA),
    "CMYK, alpha, 16 bits": tiff(deep(np.dstack([CMYK, OPAQUE])), **INK, **ALPHA),
    "CMYK, alpha, planes": tiff(planes(np.dstack([CMYK, OPAQUE])), **INK, **ALPHA, **PLANES),
    "CMYK, a spot colour": tiff(np.dstack([CMYK, OPAQUE // 2]), extrasamples=["unspecified"], **INK),
    "YCbCr": encoded(Image.fromarray(COFFEE).convert("YCbCr"), "TIFF"),
    "JPEG": encoded(Image.fromarray(COFFEE), "TIFF", compression="jpeg", quality=95),
    "L*a*b*": encoded(LAB, "TIFF"),
    "L*a*b*, 16 bits": tiff(SIGNED_LAB.astype(np.uint16) * 256, photometric="cielab"),
    "L*a*b*, ICC, 16 bits": tiff((SIGNED_LAB ^ np.uint8([0, 128, 128])).astype(np.uint16) * 256, photometric="icclab"),
}


def apart(content: bytes, expected: NDArray[np.uint8]) -> float:
    """The mean difference in grey levels between what decodes and what should."""
    picture = decode(content, SETTINGS)
    assert picture.rgb.shape == (*GREY.shape, 3)
    assert (picture.width, picture.height) == GREY.shape[::-1]
    return float(np.abs(picture.rgb.astype(int) - expected).mean())


@pytest.mark.parametrize("layout", GREYS)
def test_deep_greys_are_read_in_every_layout(layout: str) -> None:
    assert apart(GREYS[layout], np.repeat(GREY[:, :, None], 3, axis=2)) < 4


@pytest.mark.parametrize("layout", COLOURS)
def test_deep_colours_are_read_in_every_layout(layout: str) -> None:
    assert apart(COLOURS[layout], COFFEE) < 5


@pytest.mark.parametrize(
    "content",
    [
        tiff(deep(np.dstack([GREY, GREY // 255])), **PLAIN, **ALPHA),
        tiff(np.dstack([CMYK, OPAQUE * 0]), **INK, **ALPHA),
        tiff(np.dstack([FLOATS, FLOATS[:, :, 0] * 0]), **COLOUR, **ALPHA),
    ],
)
def test_what_is_transparent_shows_white(content: bytes) -> None:
    with pytest.raises(TooPlain):
        decode(content, SETTINGS)


def test_colours_that_are_multiplied_by_alpha_already() -> None:
    half = np.full(GREY.shape, 32768, np.uint16)
    multiplied = np.dstack([DEEP // 2, half])
    content = tiff(multiplied, extrasamples=["assocalpha"], **PLAIN)
    on_white = np.repeat((GREY // 2 + 127)[:, :, None], 3, axis=2)
    assert apart(content, on_white) < 4


def test_light_brighter_than_white_is_clipped() -> None:
    bright = FLOATS.copy()
    bright[0, 0] = 500.0
    assert apart(tiff(bright, **COLOUR), COFFEE) < 5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (tiff(DEEP, photometric="cfa", extratags=[(33421, 3, 2, (2, 2), True)]), "CFA"),
        (tiff(np.dstack([SIGNED_LAB / np.float32(255)]), photometric="cielab"), "float32"),
        (tiff(GREY.astype(np.complex64), **PLAIN), "complex64"),
    ],
)
def test_what_is_not_read_is_named(content: bytes, says: str) -> None:
    with pytest.raises(NotAnImage, match=says):
        decode(content, SETTINGS)


def test_bounds_hold_before_anything_is_decoded() -> None:
    content = GREYS["16 bits, alpha"]
    with pytest.raises(OverLimit, match="160 x 107 pixels"):
        decode(content, MatchingSettings(max_pixels=160 * 107 - 1))


@pytest.mark.parametrize("layout", ["16 bits, alpha", "64 bits", "float16", "14 bits"])
def test_a_damaged_file_ends_well(layout: str) -> None:
    whole = GREYS[layout]
    generator = np.random.default_rng(1)
    for _ in range(25):
        damaged = bytearray(whole)
        for at in generator.integers(0, min(len(whole), 600), 6):
            damaged[at] = generator.integers(0, 256)
        # Any other exception fails the test.
        with contextlib.suppress(Unmatchable):
            assert decode(bytes(damaged[: generator.integers(8, len(whole))]), SETTINGS).format == "TIFF"
