"""Local binary patterns: which of a pixel's neighbours are clearly above it, the same however the picture is turned.

Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant texture classification", 2002.
"""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

Floats = NDArray[np.float32]

PATTERNS = 36
"""Patterns of eight neighbours that no rotation makes the same."""


def _pattern_numbers() -> NDArray[np.int64]:
    """Return the number (0-35) of each pattern of eight neighbours, the same for all its rotations."""
    known: dict[int, int] = {}
    numbers = []
    for pattern in range(256):
        turned = min(((pattern >> shift) | (pattern << (8 - shift))) & 255 for shift in range(8))
        numbers.append(known.setdefault(turned, len(known)))
    return np.array(numbers, dtype=np.int64)


_PATTERN_NUMBERS = _pattern_numbers()


def pattern_shares(channel: Floats, clearly_above: float, where: NDArray[np.bool_] | None = None) -> Floats:
    """Return how often each pattern occurs in float32 [h, w]: float32 [PATTERNS], zeros for less than 3 x 3 pixels.

    A neighbour counts when it is more than `clearly_above` above the pixel. Only pixels `where` (bool [h, w]) are
    counted, or all where there is none of them.
    """
    height, width = channel.shape
    if min(height, width) < 3:
        return np.zeros(PATTERNS, dtype=np.float32)
    counts = np.zeros(256, np.int64)
    if where is not None:
        _count_patterns(channel, np.float32(clearly_above), where, counts)
    if not counts.any():
        _count_patterns(channel, np.float32(clearly_above), np.ones(channel.shape, np.bool_), counts)
    shares = np.bincount(_PATTERN_NUMBERS, counts, minlength=PATTERNS) / counts.sum()
    return np.asarray(shares, dtype=np.float32)


@kernel
def _count_patterns(channel, clearly_above, where, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` [256] how often each pattern of neighbours, clockwise from the upper left, occurs `where`."""
    height, width = channel.shape
    for y in range(1, height - 1):
        above, here, below = channel[y - 1], channel[y], channel[y + 1]
        for x in range(1, width - 1):
            if where[y, x]:
                middle = here[x] + clearly_above
                code = (above[x - 1] > middle) | (above[x] > middle) << 1 | (above[x + 1] > middle) << 2
                code |= (here[x + 1] > middle) << 3 | (below[x + 1] > middle) << 4 | (below[x] > middle) << 5
                code |= (below[x - 1] > middle) << 6 | (here[x - 1] > middle) << 7
                counts[code] += 1
