"""How much a picture looks like a page (set, ruled, drawn by a program) rather than like a photograph or a painting.

What two pages of one design share is nobody's own. Photographs of two scenes never share as much, so the same agreement
says more of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

_CLEAR_EDGE = np.float32(12.0)
"""Greys a pixel from which a slope is an edge: what JPEG's blocks leave behind is weaker."""

_TOLERANCE = np.float32(np.tan(np.radians(8)))
"""Scans lie a little askew, and stems of letters lean."""

_SAME_GREY = np.float32(4.0)
"""Greys between the darkest and the lightest of nine pixels that count as one grey."""

_NEAR, _FAR = np.float32(3 / 32), np.float32(10 / 32)
"""Scharr's weights for slopes in greys a pixel."""


@dataclass(frozen=True, slots=True)
class PageLike:
    """Shares from 0 to 1, larger for pages.

    `upright`: of the pixels on clear edges those whose edge runs upright or level. `even`: pixels that have the grey of
    all pixels around them.
    """

    upright: float
    even: float


def page_like(grey: NDArray[np.float32]) -> PageLike:
    """Return how page-like a picture of greys from 0 to 255 is, float32 [h, w]; all 0 below three pixels a side."""
    if min(grey.shape) < 3:
        return PageLike(0.0, 0.0)
    edges, upright = _edges(grey)
    inner = (grey.shape[0] - 2) * (grey.shape[1] - 2)
    return PageLike(upright / max(1, edges), _even(grey) / inner)


@kernel
def _edges(grey):  # type: ignore[no-untyped-def]
    """Count the pixels on clear edges, and those of them on upright or level ones; no branch, so it is vectorised."""
    edges, upright = 0, 0
    for y in range(1, grey.shape[0] - 1):
        above, here, below = grey[y - 1], grey[y], grey[y + 1]
        for x in range(1, grey.shape[1] - 1):
            across = abs(
                _NEAR * (above[x + 1] + below[x + 1] - above[x - 1] - below[x - 1]) + _FAR * (here[x + 1] - here[x - 1])
            )
            down = abs(
                _NEAR * (below[x - 1] + below[x + 1] - above[x - 1] - above[x + 1]) + _FAR * (below[x] - above[x])
            )
            is_clear = across * across + down * down > _CLEAR_EDGE * _CLEAR_EDGE
            edges += is_clear
            upright += is_clear & ((across < _TOLERANCE * down) | (down < _TOLERANCE * across))
    return edges, upright


@kernel
def _even(grey):  # type: ignore[no-untyped-def]
    """Count the pixels, without the rim, that have the grey of the eight around them."""
    even, width = 0, grey.shape[1]
    darkest, lightest = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(1, grey.shape[0] - 1):
        above, here, below = grey[y - 1], grey[y], grey[y + 1]
        for x in range(width):
            darkest[x] = min(min(above[x], here[x]), below[x])
            lightest[x] = max(max(above[x], here[x]), below[x])
        for x in range(1, width - 1):
            most = max(max(lightest[x - 1], lightest[x]), lightest[x + 1])
            even += most - min(min(darkest[x - 1], darkest[x]), darkest[x + 1]) <= _SAME_GREY
    return even
