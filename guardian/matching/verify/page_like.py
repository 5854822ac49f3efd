"""How much a picture looks like a page (set, ruled, drawn by a program) rather than like a photograph or a painting.

What two pages of one design share is nobody's own. Photographs of two scenes never share as much, so the same agreement
says more of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

_CLEAR_EDGE = 12.0
"""Greys a pixel from which a slope is an edge: what JPEG's blocks leave behind is weaker."""

_TOLERANCE = float(np.tan(np.radians(8)))
"""Scans lie a little askew, and stems of letters lean."""

_SAME_GREY = 4.0
"""Greys between the darkest and the lightest of nine pixels that count as one grey."""

_TONES = 64
_GREYS_A_TONE = 256 / _TONES

_NEAR, _FAR = 3.0 / 32, 10.0 / 32
"""Scharr's weights for slopes in greys a pixel."""


@dataclass(frozen=True, slots=True)
class PageLike:
    """Shares from 0 to 1, larger for pages.

    `upright`: of the pixels on clear edges those whose edge runs upright or level. `even`: pixels that have the grey of
    all pixels around them. `two_tones`: pixels near the two commonest greys, paper and ink.
    """

    upright: float
    even: float
    two_tones: float


def page_like(grey: NDArray[np.float32]) -> PageLike:
    """Return how page-like a picture of greys from 0 to 255 is, float32 [h, w]; all 0 below three pixels a side."""
    if min(grey.shape) < 3:
        return PageLike(0.0, 0.0, 0.0)
    edges, upright, even, tones = _counted(grey)

    first = int(tones.argmax())
    paper = _near(tones, first)
    tones[max(0, first - 1) : first + 2] = 0
    ink = _near(tones, int(tones.argmax()))
    inner = (grey.shape[0] - 2) * (grey.shape[1] - 2)
    return PageLike(upright / max(1, edges), even / inner, (paper + ink) / inner)


def _near(tones: NDArray[np.int64], tone: int) -> int:
    return int(tones[max(0, tone - 1) : tone + 2].sum())


@kernel
def _counted(grey):  # type: ignore[no-untyped-def]
    """Count, without the rim, pixels on edges, on upright or level ones, even ones, and those of each tone."""
    edges, upright, even = 0, 0, 0
    tones = np.zeros(_TONES, np.int64)
    for y in range(1, grey.shape[0] - 1):
        for x in range(1, grey.shape[1] - 1):
            tones[min(_TONES - 1, max(0, int(grey[y, x] / _GREYS_A_TONE)))] += 1
            least, most = grey[y, x], grey[y, x]
            for row in range(y - 1, y + 2):
                for column in range(x - 1, x + 2):
                    least, most = min(least, grey[row, column]), max(most, grey[row, column])
            even += most - least <= _SAME_GREY

            across = _NEAR * (grey[y - 1, x + 1] + grey[y + 1, x + 1] - grey[y - 1, x - 1] - grey[y + 1, x - 1])
            across = abs(across + _FAR * (grey[y, x + 1] - grey[y, x - 1]))
            down = _NEAR * (grey[y + 1, x - 1] + grey[y + 1, x + 1] - grey[y - 1, x - 1] - grey[y - 1, x + 1])
            down = abs(down + _FAR * (grey[y + 1, x] - grey[y - 1, x]))
            if across * across + down * down > _CLEAR_EDGE * _CLEAR_EDGE:
                edges += 1
                upright += min(across, down) < _TOLERANCE * max(across, down)
    return edges, upright, even, tones
