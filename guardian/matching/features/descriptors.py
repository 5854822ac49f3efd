"""Describes oriented keypoints by ORB's 256 tests, as they are seen in a picture, its mirror image and its negative.

Of a mirror image and a negative no pixels are made: the same tests are done at mirrored and opposite points of a patch.
"""

from math import cos, sin

import numba
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.orb_pattern import TESTS
from guardian.matching.features.resizing import smoothed

DESCRIPTOR_BYTES = 32

# Tests reach 13 * sqrt(2) pixels from a keypoint, which may lie sixteen from the rim: so far beyond it they may go.
_RIM = 4
_RADIANS = np.float32(np.pi / 180)
# Added and taken off again, it leaves a float32 rounded to a whole number.
_ROUNDING = np.float32(1.5 * 2**23)


def blurred(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what `describe` looks at: uint8 [h, w] smoothed, within a rim of mirrored pixels."""
    return smoothed(grey, _RIM)


def describe(
    smooth: NDArray[np.uint8], places: NDArray[np.int32], angles: NDArray[np.float32], *, mirrored: bool, inverted: bool
) -> NDArray[np.uint8]:
    """Return descriptors, uint8 [n, 32], of places int32 [2, n] of the picture that `smooth` was made of.

    `angles` are those of the upright picture, in degrees. `mirrored`, `inverted`: as its mirror image or negative shows
    them.
    """
    at = (places[1] + _RIM).astype(np.int32) * np.int32(smooth.shape[1]) + (places[0] + _RIM)
    flip, side = np.float32(-1 if mirrored else 1), np.float32(-1 if inverted else 1)
    # A mirror image turns a patch the other way round; the centroid of a negative lies on the opposite side.
    tests = TESTS * np.array([[side], [side * flip], [side], [side * flip]], np.float32)
    described = np.asarray(_describe(smooth.ravel(), np.int32(smooth.shape[1]), at, angles, tests), np.uint8)
    # In a negative what was darker is brighter.
    return ~described if inverted else described


@kernel
def _describe(pixels, width, at, angles, tests):  # type: ignore[no-untyped-def]
    count = 8 * DESCRIPTOR_BYTES
    described = np.empty((at.shape[0], DESCRIPTOR_BYTES), np.uint8)
    first, second = np.empty(count, np.int32), np.empty(count, np.int32)
    x0, y0, x1, y1 = tests[0], tests[1], tests[2], tests[3]
    for i in range(at.shape[0]):
        angle = angles[i] * _RADIANS
        cosine, sine = np.float32(cos(angle)), np.float32(sin(angle))
        # Where the tests of the turned patch lie: the compiler does many of them at once.
        for k in range(count):
            across, down = x0[k] * cosine - y0[k] * sine, x0[k] * sine + y0[k] * cosine
            first[k] = np.int32(_rounded(down)) * width + np.int32(_rounded(across))
            across, down = x1[k] * cosine - y1[k] * sine, x1[k] * sine + y1[k] * cosine
            second[k] = np.int32(_rounded(down)) * width + np.int32(_rounded(across))

        for byte in range(DESCRIPTOR_BYTES):
            bits = 0
            for bit in range(8):
                k = 8 * byte + bit
                bits |= (pixels[np.uint64(at[i] + first[k])] < pixels[np.uint64(at[i] + second[k])]) << bit
            described[i, byte] = bits
    return described


@numba.njit(inline="always")
def _rounded(x):  # type: ignore[no-untyped-def]
    """Return a float32 of less than 2**22 as a whole number, halves to the even one."""
    return (x + _ROUNDING) - _ROUNDING
