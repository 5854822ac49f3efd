"""Local binary patterns: which of a pixel's neighbours are clearly above it, the same however the picture is turned.

Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant texture classification", 2002.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PATTERNS = 36
"""Patterns of eight neighbours that no rotation makes the same."""

_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def _pattern_numbers() -> NDArray[np.int64]:
    """Return the number (0-35) of each pattern of eight neighbours, the same for all its rotations."""
    known: dict[int, int] = {}
    numbers = []
    for pattern in range(256):
        turned = min(((pattern >> shift) | (pattern << (8 - shift))) & 255 for shift in range(8))
        numbers.append(known.setdefault(turned, len(known)))
    return np.array(numbers, dtype=np.int64)


_PATTERN_NUMBERS = _pattern_numbers()


def pattern_codes(channel: Floats, clearly_above: float) -> NDArray[np.uint8]:
    """Return which neighbours of each inner pixel of float32 [h, w] are clearly above it: uint8 [h - 2, w - 2].

    A neighbour counts when it is more than `clearly_above` above the pixel. Of less than 3 x 3 pixels there are none.
    """
    height, width = channel.shape
    if min(height, width) < 3:
        return np.zeros((0, 0), dtype=np.uint8)
    middle = channel[1:-1, 1:-1] + clearly_above
    codes = np.zeros(middle.shape, dtype=np.uint8)
    for bit, (down, across) in enumerate(_NEIGHBOURS):
        neighbour = channel[1 + down : height - 1 + down, 1 + across : width - 1 + across]
        codes |= (neighbour > middle).astype(np.uint8) << bit
    return codes


def pattern_shares(codes: NDArray[np.uint8], where: NDArray[np.bool_] | None = None) -> Floats:
    """Return how often each pattern occurs among codes: float32 [PATTERNS], zeros where there are none.

    Only pixels `where` (bool, of the whole channel) are counted, or all where there is none of them.
    """
    if not codes.size:
        return np.zeros(PATTERNS, dtype=np.float32)
    inner = None if where is None else where[1:-1, 1:-1]
    counted = codes[inner] if inner is not None and inner.any() else codes.ravel()
    counts = np.bincount(_PATTERN_NUMBERS, np.bincount(counted, minlength=256), minlength=PATTERNS)
    return (counts / counted.size).astype(np.float32)
