"""Pictures that were faded, darkened or veiled, and lettered over: the narrow range of greys that they were given."""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.resizing import reduced

_LOOKED_AT = 256
_NEIGHBOURHOOD = 5
_LEAST_DEVIATION = 1.2
"""Greys: what varies less among its neighbours is flat ground and shows nothing."""

_LEAST_SHOWN = 0.2
"""Share of the picture that must show something for its greys to say how it was made."""

_MOST_OF_IT = 0.8
_NARROW = 80
_ROOM = 0.15


def stretched(grey: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return uint8 [h, w] with the narrow range of most of its greys stretched to all of them; None when it is wide.

    What lies outside of the range (lettering over a faded picture, a headline on a dark one) becomes black or white.
    """
    least, greatest = _range_of(grey)
    width = greatest - least
    if width > _NARROW:
        return None
    room = _ROOM * max(width, 8)
    steps = (np.arange(256) - (least - room)) / (width + 2 * room) * 255
    return np.asarray(cv2.LUT(grey, steps.clip(0, 255).astype(np.uint8)), np.uint8)


def _range_of(grey: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the narrowest range of greys that holds four fifths of what is not flat; all greys where most is flat."""
    small = reduced(grey, _LOOKED_AT)

    around = (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
    mean = cv2.boxFilter(small, cv2.CV_32F, around)
    squares = cv2.sqrBoxFilter(small, cv2.CV_32F, around)
    shows = small[squares - mean * mean > _LEAST_DEVIATION**2]
    if len(shows) < _LEAST_SHOWN * small.size:
        return 0, 255

    up_to = np.concatenate([[0], np.cumsum(np.bincount(shows, minlength=256))])
    # For each least grey the greatest one with which enough lies between them; beyond the last it is out of reach.
    greatest = np.searchsorted(up_to, up_to[:-1] + _MOST_OF_IT * len(shows)) - 1
    widths = np.where(greatest < 256, greatest - np.arange(256), 256)
    least = int(widths.argmin())
    return least, int(greatest[least])
