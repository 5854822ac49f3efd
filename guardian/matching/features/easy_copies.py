"""Makes easy copies of an asset's picture, such as every website makes: they must be found, or the asset is weak."""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.image import Picture
from guardian.matching.features.resizing import averaged

QUALITY = 60
"""JPEG quality of the copies: what sites use that spare no byte."""

_SMALL_SIDE = 640
"""Pixels of the longer side beyond which the quick copy is not worth its bytes: the quick search looks no closer."""


def quick_copy(picture: Picture) -> bytes:
    """Return one copy that is both at half its size and recompressed, reduced further where that is still large."""
    return _jpeg(_reduced(picture, 0.5, _SMALL_SIDE))


def half_size(picture: Picture) -> bytes:
    """Return a copy at half its size."""
    return _jpeg(_reduced(picture, 0.5), quality=90)


def recompressed(picture: Picture) -> bytes:
    """Return a copy of the same size, compressed strongly."""
    return _jpeg(picture.rgb)


def _reduced(picture: Picture, factor: float, most: int | None = None) -> NDArray[np.uint8]:
    """Return the picture at `factor` of its full size, its longer side `most` pixels at most."""
    longer = max(picture.width, picture.height)
    if most is not None:
        factor = min(factor, most / longer)
    # The pixels may be reduced already, since matching looks no closer.
    height, width = picture.rgb.shape[:2]
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    if size[0] >= width or size[1] >= height:
        return picture.rgb
    return averaged(picture.rgb, size)


def _jpeg(rgb: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return encoded.tobytes()
