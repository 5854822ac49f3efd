"""Reads pages of TIFF files whose depth or layout Pillow does not know: deep whole numbers and floats, extra samples.

Pillow reads the common ones, and faster. What tifffile reads comes out as an image of eight bits with Pillow's modes.
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from guardian.media.colour import eight_bits, srgb_of
from guardian.media.orientation import UPRIGHT, upright

if TYPE_CHECKING:
    from tifffile import TiffPage

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF files begin, in both byte orders, the last two with 64-bit offsets (BigTIFF)."""

_BITS, _PHOTOMETRIC, _PLANAR, _SAMPLE_FORMAT = 258, 262, 284, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK, _CIELAB, _ICCLAB = 0, 1, 2, 5, 8, 9
_SAMPLES = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _CMYK: 4, _CIELAB: 3, _ICCLAB: 3}
_SEPARATE, _UNSIGNED = 2, 1
_ASSOCIATED, _UNASSOCIATED = 1, 2
_MOST_SAMPLES = 16


def is_misread(image: Image.Image) -> bool:
    """Return whether Pillow opens this page of a TIFF and would decode it wrongly.

    It does so with deep greys whose zero is white, unsigned numbers of 32 bits, and planes of more than eight bits.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    tags = image.tag_v2
    bits = max(tags.get(_BITS, (1,)))
    white_is_zero = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    unsigned = set(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))) == {_UNSIGNED}
    return bits > 8 and (white_is_zero or (bits >= 32 and unsigned) or tags.get(_PLANAR) == _SEPARATE)


def read_page(content: bytes, number: int, allow: Callable[[int, int], None]) -> Image.Image:
    """Return one page (the first is 0), upright, in Pillow's mode L, LA, RGB, RGBA, CMYK or LAB.

    `allow` is called with width and height before anything is decoded, and raises for too large a page. Raises
    ValueError (with what cannot be read), what tifffile and imagecodecs raise for damage, IndexError when there is no
    such page.
    """
    # Most pictures never need it, and loading it takes a tenth of a second.
    from tifffile import TiffFile

    with TiffFile(io.BytesIO(content)) as file:
        page = file.pages[number].aspage()
        allow(page.imagewidth, page.imagelength)
        if page.samplesperpixel > _MOST_SAMPLES or page.imagedepth != 1:
            raise ValueError(f"a TIFF page of {page.samplesperpixel} samples and {page.imagedepth} layers")

        values = np.asarray(page.asarray(maxworkers=1))
        if page.planarconfig == _SEPARATE and page.samplesperpixel > 1:
            values = np.moveaxis(values, 0, -1)
        planes = values.reshape(page.imagelength, page.imagewidth, -1)
        if planes.dtype == np.bool_:
            planes = planes.astype(np.uint8)

        image = _colours(page, planes)
        if profile := page.iccprofile:
            image.info["icc_profile"] = profile
        return upright(_with_alpha(page, planes, image), page.tags.valueof("Orientation", UPRIGHT))


def _colours(page: "TiffPage", planes: NDArray[Any]) -> Image.Image:
    """Return the colours among the planes [h, w, samples] of a page as an image. Raises ValueError for unknown ones."""
    kind, wanted = int(page.photometric), _samples_of(page)
    if planes.shape[2] < wanted or planes.dtype.kind not in "uif":
        raise ValueError(f"a TIFF page of {_colours_of(page)} in {planes.shape[2]} samples of {planes.dtype}")

    if kind in (_CIELAB, _ICCLAB):
        return _lab(planes[:, :, :3], is_offset=kind == _ICCLAB)
    scaled = eight_bits(planes[:, :, :wanted], most=_most(page, planes[:, :, :wanted]))
    if kind == _WHITE_IS_ZERO:
        scaled = 255 - scaled
    return Image.fromarray(scaled[:, :, 0] if wanted == 1 else scaled, "CMYK" if kind == _CMYK else None)


def _samples_of(page: "TiffPage") -> int:
    """Return how many samples of a pixel are its colour. Raises ValueError for colours that are not known."""
    try:
        return _SAMPLES[int(page.photometric)]
    except KeyError:
        raise ValueError(f"a TIFF page whose colours are {_colours_of(page)}") from None


def _colours_of(page: "TiffPage") -> str:
    # An IntEnum, or a plain number where the file has one that tifffile does not know.
    return str(getattr(page.photometric, "name", page.photometric))


def _with_alpha(page: "TiffPage", planes: NDArray[Any], image: Image.Image) -> Image.Image:
    """Return the image with the first extra sample of its page as alpha, if that sample says that it is alpha."""
    wanted = _samples_of(page)
    said = int(page.extrasamples[0]) if page.extrasamples and planes.shape[2] > wanted else 0
    if said not in (_ASSOCIATED, _UNASSOCIATED):
        return image

    extra = planes[:, :, wanted]
    most = float(max(1.0, extra.max())) if extra.dtype.kind == "f" else float((1 << page.bitspersample) - 1)
    alpha = Image.fromarray(eight_bits(extra, most=most))

    # Inks with alpha have no mode, so their profile is applied before.
    flat = srgb_of(image) if image.mode in ("CMYK", "LAB") else image
    if said == _ASSOCIATED and flat is image:
        # The colours are multiplied by it already.
        multiplied = Image.merge("RGBa", (*flat.convert("RGB").split(), alpha))
        layered = multiplied.convert("RGBA")
    else:
        layered = flat.copy()
        layered.putalpha(alpha)
    layered.info = flat.info
    return layered


def _most(page: "TiffPage", colours: NDArray[Any]) -> float | None:
    """Return the number that means the full amount of a colour; None where only the numbers themselves can say."""
    if colours.dtype.kind == "f":
        if colours.shape[2] == 1:
            return None
        # Lamps and the sun may be many times as bright as white: what is brighter than nearly all is clipped.
        finite = np.nan_to_num(colours.astype(np.float32), posinf=0.0, neginf=0.0)
        greatest = float(finite.max(initial=0))
        return greatest or 1.0 if greatest <= 1 else max(1.0, float(np.percentile(finite, 99.9)))
    if int(page.photometric) == _CMYK or page.bitspersample not in (16, 32, 64):
        return float((1 << page.bitspersample) - 1)
    return None


def _lab(planes: NDArray[Any], *, is_offset: bool) -> Image.Image:
    """Return L*a*b* of 8 or 16 bits as an image. `is_offset`: a and b have half their range added, as ICC has them."""
    if planes.dtype.kind != "u" or planes.dtype.itemsize > 2:
        raise ValueError(f"a TIFF page of L*a*b* in {planes.dtype}")
    small = np.asarray(planes >> 8 if planes.dtype.itemsize == 2 else planes, dtype=np.uint8).copy()
    if is_offset:
        small[:, :, 1:] ^= 128
    return Image.fromarray(small, "LAB")
