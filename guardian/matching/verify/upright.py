"""How much of what a picture shows runs upright or level: much of a page that is set, ruled or drawn by a program.

What two pages of one design share is nobody's own. Photographs of two scenes never share as much, so the same agreement
says more of them.
"""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

_CLEAR_EDGE = np.float32(12.0)
"""Greys a pixel from which a slope is an edge: what JPEG's blocks leave behind is weaker."""

_TOLERANCE = np.float32(np.tan(np.radians(8)))
"""Scans lie a little askew, and stems of letters lean."""

_NEAR, _FAR = np.float32(3 / 32), np.float32(10 / 32)
"""Scharr's weights for slopes in greys a pixel."""


def upright_share(grey: NDArray[np.float32]) -> float:
    """Return the share (0-1) of the pixels on clear edges whose edge runs upright or level; 0 without any edge.

    `grey` is float32 [h, w], from 0 to 255. The rim has no say.
    """
    edges, upright = _counted(grey)
    return float(upright / max(1, edges))


@kernel
def _counted(grey):  # type: ignore[no-untyped-def]
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
