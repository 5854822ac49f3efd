"""Where a grey picture has corners: FAST finds them, Harris ranks them, the grey centroid turns them.

What ORB does (Rublee et al., "ORB", ICCV 2011), with the results of OpenCV's, on whole rows at once and without an
object for each corner: OpenCV's bindings take longer to hand them over than to find them.
"""

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits

BORDER = 16
"""Pixels along the rim of a picture in which no corner is looked for."""

_HALF_PATCH = 15
_HARRIS = np.float32(0.04)
# Sobel's kernel has weights of four together, over seven by seven pixels of 255 greys: as OpenCV scales it.
_SCALE = np.float32((np.float32(1) / np.float32(4 * 7 * 255)) ** 4)


def corners_of(
    grey: NDArray[np.uint8], parts: int, each: int, threshold: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the corners of uint8 [h, w]: x and y as int32 [2, n], and how strong they are, float32 [n].

    Of `parts` x `parts` parts of the picture each has the strongest that lie in it, at most `each`.
    `threshold`: by how many greys nine pixels in a row of the sixteen around a corner differ from it (Rosten and
    Drummond, "Machine Learning for High-Speed Corner Detection", ECCV 2006).
    """
    if min(grey.shape) <= 2 * BORDER:
        return np.zeros((2, 0), np.int32), np.zeros(0, np.float32)

    places, scores = _peaks(_fast_scores(grey), threshold)
    # The strongest anywhere would all sit on lettering or on one textured corner, and the rest of the picture has none.
    places = np.compress(_strongest_of_parts(places, scores, grey.shape, parts, each), places, axis=1)

    # The score of FAST says that something is a corner, the response of Harris how well it is found again.
    return places, _harris(grey, places)


def angles_of(grey: NDArray[np.uint8], places: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the direction of each corner's centroid of greys: float32 [n], degrees clockwise from the x axis."""
    if not places.shape[1]:
        return np.zeros(0, np.float32)
    # In one order for all, or the kernel would be compiled once more when the first picture has the other.
    across, down = _moments(grey, np.ascontiguousarray(places), _HALF_WIDTHS)
    return np.asarray(cv2.phase(across, down, angleInDegrees=True), np.float32).ravel()


def _half_widths() -> NDArray[np.int32]:
    """Return how far the rows of the round patch reach to either side of its middle column: int32 [16]."""
    widths = [round(np.sqrt(_HALF_PATCH**2 - row**2)) for row in range(_HALF_PATCH + 1)]
    # The outer eighth mirrors the inner one, so that the patch is the same turned by a right angle.
    for row in range(_HALF_PATCH, int(np.ceil(_HALF_PATCH / np.sqrt(2))) - 1, -1):
        widths[row] = max(column for column in range(_HALF_PATCH + 1) if widths[column] >= row)
    return np.array(widths, np.int32)


_HALF_WIDTHS = _half_widths()


@numba.njit(inline="always")
def _least(a, b):  # type: ignore[no-untyped-def]
    return a if a < b else b


@numba.njit(inline="always")
def _most(a, b):  # type: ignore[no-untyped-def]
    return a if a > b else b


@numba.njit(inline="always")
def _reached_by_an_arc(d, least, most):  # type: ignore[no-untyped-def]
    """Return the largest number that nine neighbours of a ring of sixteen all reach.

    With `least` and `most` exchanged it is the smallest number below which they all stay. Two arcs of nine share the
    eight in their middle, and these are two fours, and these two pairs.
    """
    a1, a3, a5, a7 = least(d[1], d[2]), least(d[3], d[4]), least(d[5], d[6]), least(d[7], d[8])
    a9, a11, a13, a15 = least(d[9], d[10]), least(d[11], d[12]), least(d[13], d[14]), least(d[15], d[0])
    b1, b3, b5, b7 = least(a1, a3), least(a3, a5), least(a5, a7), least(a7, a9)
    b9, b11, b13, b15 = least(a9, a11), least(a11, a13), least(a13, a15), least(a15, a1)

    best = least(least(b1, b5), most(d[0], d[9]))
    best = most(best, least(least(b3, b7), most(d[2], d[11])))
    best = most(best, least(least(b5, b9), most(d[4], d[13])))
    best = most(best, least(least(b7, b11), most(d[6], d[15])))
    best = most(best, least(least(b9, b13), most(d[8], d[1])))
    best = most(best, least(least(b11, b15), most(d[10], d[3])))
    best = most(best, least(least(b13, b1), most(d[12], d[5])))
    return most(best, least(least(b15, b3), most(d[14], d[7])))


@numba.njit(inline="always")
def _above(grey, other):  # type: ignore[no-untyped-def]
    return np.uint8(grey - other) if grey > other else np.uint8(0)


@kernel
def _fast_scores(grey):  # type: ignore[no-untyped-def]
    """Return by how much nine pixels in a row around each pixel are all brighter, or all darker, than it: uint8 [h, w].

    Nothing is said of the rim in which no corner is looked for. Without branches, and without indices that might be
    negative: so the compiler does many pixels of a row at once.
    """
    scores = np.empty_like(grey)
    height, width = grey.shape
    # Corners are compared with their neighbours.
    rim = BORDER - 1
    begin = rim - 3
    for y in range(rim, height - rim):
        a, b, c, d = grey[y - 3, begin:], grey[y - 2, begin:], grey[y - 1, begin:], grey[y, begin:]
        e, f, g = grey[y + 1, begin:], grey[y + 2, begin:], grey[y + 3, begin:]
        # The sixteen pixels of the ring, clockwise from the top, each row seen from where the ring meets it.
        r0, r1, r2, r3, r4, r5, r6, r7 = a[3:], a[4:], b[5:], c[6:], d[6:], e[6:], f[5:], g[4:]
        r8, r9, r10, r11, r12, r13, r14, r15 = g[3:], g[2:], f[1:], e, d, c, b[1:], a[2:]
        middle, out = d[3:], scores[y, rim:]

        for x in range(width - 2 * rim):
            right = (r0[x], r1[x], r2[x], r3[x], r4[x], r5[x], r6[x], r7[x])
            ring = (*right, r8[x], r9[x], r10[x], r11[x], r12[x], r13[x], r14[x], r15[x])
            brighter = _above(_reached_by_an_arc(ring, _least, _most), middle[x])
            out[x] = _most(brighter, _above(middle[x], _reached_by_an_arc(ring, _most, _least)))
    return scores


@kernel
def _peaks(scores, threshold):  # type: ignore[no-untyped-def]
    """Return the pixels above the threshold and all their eight neighbours: x and y int32 [2, n], scores uint8 [n]."""
    height, width = scores.shape
    inner = width - 2 * BORDER
    # Of a row eight pixels are looked at in one go, since most hold no peak; what follows the last is empty.
    words = np.zeros((inner + 7) // 8, np.uint64)
    row = words.view(np.uint8)
    # No two neighbours are both peaks.
    most_places = (inner + 1) // 2 * ((height - 2 * BORDER + 1) // 2)
    places, kept, at = np.empty((2, most_places), np.int32), np.empty(most_places, np.uint8), 0
    for y in range(BORDER, height - BORDER):
        above, here, below = scores[y - 1, BORDER - 1 :], scores[y, BORDER - 1 :], scores[y + 1, BORDER - 1 :]
        # Again without indices that might be negative.
        a0, a1, a2, b0, b1, b2 = above, above[1:], above[2:], here, here[1:], here[2:]
        c0, c1, c2 = below, below[1:], below[2:]
        for x in range(inner):
            most = _most(_most(a0[x], a1[x]), _most(a2[x], b0[x]))
            most = _most(most, _most(_most(b2[x], c0[x]), _most(c1[x], c2[x])))
            score = b1[x]
            row[x] = score if (score > most) & (score > threshold) else np.uint8(0)

        for word in range(words.shape[0]):
            left = words[word]
            while left:
                # The lowest of its bytes that is not nought: below its lowest bit all are.
                byte = count_bits((left & (~left + np.uint64(1))) - np.uint64(1)) >> np.uint64(3)
                x = np.uint64(8 * word) + byte
                places[0, at], places[1, at], kept[at] = x + np.uint64(BORDER), y, row[x]
                at += 1
                left &= ~(np.uint64(255) << (byte << np.uint64(3)))
    return places[:, :at].copy(), kept[:at].copy()


@kernel
def _strongest_of_parts(places, scores, shape, parts, each):  # type: ignore[no-untyped-def]
    """Tell which places are among the `each` with the highest scores of their part of the picture: bool [n]."""
    # By score, the highest first: there are 256 of them.
    begins = np.zeros(257, np.int64)
    for score in scores:
        begins[256 - score] += 1
    begins = np.cumsum(begins)
    order = np.empty(scores.shape[0], np.int64)
    for i in range(scores.shape[0]):
        order[begins[255 - scores[i]]] = i
        begins[255 - scores[i]] += 1

    counts, chosen = np.zeros(parts * parts, np.int64), np.zeros(scores.shape[0], np.bool_)
    for i in order:
        part = places[1, i] * parts // shape[0] * parts + places[0, i] * parts // shape[1]
        chosen[i] = counts[part] < each
        counts[part] += 1
    return chosen


@kernel
def _harris(grey, places):  # type: ignore[no-untyped-def]
    """Return the Harris response of each place over Sobel's slopes of seven by seven pixels: float32 [n].

    Slopes are computed anew for each place: of a whole picture there are far more than are asked for.
    """
    responses = np.empty(places.shape[1], np.float32)
    for i in range(places.shape[1]):
        x, y = places[0, i], places[1, i]
        a, b, c = np.int32(0), np.int32(0), np.int32(0)
        for row in range(y - 3, y + 4):
            above, here = grey[row - 1, x - 4 : x + 5], grey[row, x - 4 : x + 5]
            below = grey[row + 1, x - 4 : x + 5]
            for column in range(7):
                upper_left, upper_right = np.int32(above[column]), np.int32(above[column + 2])
                lower_left, lower_right = np.int32(below[column]), np.int32(below[column + 2])
                middle = np.int32(here[column + 2]) - np.int32(here[column])
                upright = np.int32(below[column + 1]) - np.int32(above[column + 1])
                slope = np.int32(upper_right - upper_left + lower_right - lower_left + 2 * middle)
                fall = np.int32(lower_left - upper_left + lower_right - upper_right + 2 * upright)
                a += slope * slope
                b += fall * fall
                c += slope * fall
        xx, yy, xy = np.float32(a), np.float32(b), np.float32(c)
        responses[i] = (xx * yy - xy * xy - _HARRIS * (xx + yy) * (xx + yy)) * _SCALE
    return responses


@kernel
def _moments(grey, places, half_widths):  # type: ignore[no-untyped-def]
    """Return the first moments of the greys of the round patch about each place: float32 [2, n], across and down."""
    moments = np.empty((2, places.shape[1]), np.float32)
    for i in range(places.shape[1]):
        x, y = places[0, i], places[1, i]
        across, down = np.int32(0), np.int32(0)
        for row in range(_HALF_PATCH + 1):
            half = half_widths[row]
            lower, upper = grey[y + row, x - half : x + half + 1], grey[y - row, x - half : x + half + 1]
            difference = np.int32(0)
            for column in range(2 * half + 1):
                # The middle row is there once only.
                above = np.int32(upper[column]) if row else np.int32(0)
                difference += np.int32(lower[column]) - above
                across += (column - half) * (np.int32(lower[column]) + above)
            down += row * difference
        moments[0, i], moments[1, i] = across, down
    return moments
