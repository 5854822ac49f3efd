"""Makes pictures smaller and smoother, with OpenCV's results to the last bit, in a half to a quarter of its time."""

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import fused_kernel, kernel

_GAUSSIAN = cv2.getGaussianKernel(7, 2).ravel().astype(np.float32)
"""Weights of seven pixels: a deviation of two."""

# Added and taken off again, it leaves a float32 of less than 2**22 rounded to a whole number, halves to the even one.
_ROUNDING = np.float32(1.5 * 2**23)

_LEAST_SHARE = 1e-3
"""Of a pixel at the rim of an area: OpenCV leaves out less."""

_RUN = 8
"""So many pixels that lie side by side are read in one go."""

_ONE, _TWO, _THREE, _FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
_FIVE, _SIX, _SEVEN = np.uint64(5), np.uint64(6), np.uint64(7)


def averaged(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Reduce uint8 [h, w] or [h, w, 3] to `size` (w, h) by averaging areas, as OpenCV's INTER_AREA does.

    Raises ValueError where that is larger than the picture in one direction.
    """
    height, width = pixels.shape[:2]
    across, down = size
    if across > width or down > height:
        raise ValueError(f"{width} x {height} pixels cannot be averaged to {across} x {down}")
    if width % across == 0 and height % down == 0:
        # OpenCV is quick with whole numbers of pixels, and rounds their averages otherwise.
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    made = _averaged(rows, pixels.ndim == 3, *_areas(width, across), *_areas(height, down))
    return np.asarray(made, np.uint8).reshape(down, across, *pixels.shape[2:])


def reduced(pixels: NDArray[np.uint8], longer_side: float) -> NDArray[np.uint8]:
    """Reduce a picture by averaging areas until its longer side has so many pixels; return a smaller one as it is."""
    height, width = pixels.shape[:2]
    factor = longer_side / max(height, width)
    if factor >= 1:
        return pixels
    return averaged(pixels, (max(1, round(width * factor)), max(1, round(height * factor))))


def interpolated(grey: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize uint8 [h, w] to `size` (w, h) by linear interpolation, as OpenCV's INTER_LINEAR_EXACT does."""
    before, columns = _neighbours(grey.shape[1], size[0])
    above, rows = _neighbours(grey.shape[0], size[1])
    return np.asarray(_interpolated(np.ascontiguousarray(grey), _runs(before), columns, above, rows), np.uint8)


def smoothed(grey: NDArray[np.uint8], rim: int) -> NDArray[np.uint8]:
    """Return uint8 [h, w] blurred by a Gaussian of two pixels, within `rim` pixels, at least 3, that mirror it."""
    framed = np.asarray(cv2.copyMakeBorder(grey, rim, rim, rim, rim, cv2.BORDER_REFLECT_101), np.uint8)
    _smooth(framed, rim, _GAUSSIAN)
    return framed


@kernel
def _areas(pixels, fewer):  # type: ignore[no-untyped-def]
    """Return the first of a row's pixels that each of fewer ones covers, int64 [fewer], and the share of each of them.

    Shares are float32 [fewer, taps], 0 beyond the last that is covered.
    """
    scale = 1.0 / (fewer / pixels)
    firsts, shares, most = np.empty(fewer, np.int64), np.zeros((fewer, int(scale) + 3), np.float32), 0
    for i in range(fewer):
        begin = i * scale
        end, covered = begin + scale, min(scale, pixels - begin)
        last = min(int(np.floor(end)), pixels - 1)
        first = min(int(np.ceil(begin)), last)

        firsts[i], taps = first, 0
        if first - begin > _LEAST_SHARE:
            firsts[i], shares[i, 0], taps = first - 1, (first - begin) / covered, 1
        for _ in range(first, last):
            shares[i, taps] = 1.0 / covered
            taps += 1
        if end - last > _LEAST_SHARE:
            shares[i, taps] = min(end - last, 1.0, covered) / covered
            taps += 1
        most = max(most, taps)
    return firsts, shares[:, :most].copy()


@kernel
def _neighbours(pixels, others):  # type: ignore[no-untyped-def]
    """Return between which of a row's pixels and its next one each of others lies, int64 [n], and how far on.

    That is uint32 [n], in 256 steps.
    """
    before, shares = np.empty(others, np.int64), np.zeros(others, np.uint32)
    # Not the plain quotient: its last bit decides whether a place lies halfway between two steps.
    scale = 1.0 / (others / pixels)
    for i in range(others):
        place = scale * (i + 0.5) - 0.5
        before[i] = min(max(int(np.floor(place)), 0), pixels - 1)
        # Beyond the rim there is nothing: there it is all of the outermost pixel.
        if 0 <= place < pixels - 1:
            shares[i] = int(np.rint((place - before[i]) * 256))
    return before, shares


@kernel
def _runs(before):  # type: ignore[no-untyped-def]
    """Return where runs of at most _RUN pixels begin that lie side by side in both rows, int64 [n, 2]."""
    runs, count = np.empty((before.shape[0], 2), np.int64), 0
    for i in range(before.shape[0]):
        if not count or before[i] - i != runs[count - 1, 1] - runs[count - 1, 0] or i - runs[count - 1, 0] == _RUN:
            runs[count] = i, before[i]
            count += 1
    return runs[:count].copy()


@numba.njit(inline="always")
def _as_byte(x):  # type: ignore[no-untyped-def]
    """Return a float32 from -0.5 to 2**22 rounded, and 255 at most."""
    return np.uint8(min((x + _ROUNDING) - _ROUNDING, np.float32(255)))


@kernel
def _averaged(rows, in_colour, firsts, shares, first_rows, row_shares):  # type: ignore[no-untyped-def]
    channels = 3 if in_colour else 1
    made = np.empty((first_rows.shape[0], channels * firsts.shape[0]), np.uint8)
    # What lies beyond a row is read, too, with a share of nought.
    row = np.zeros(rows.shape[1] + channels * shares.shape[1], np.float32)
    here, total = np.empty(made.shape[1], np.float32), np.empty(made.shape[1], np.float32)
    latest = -1
    for y in range(made.shape[0]):
        for k in range(row_shares.shape[1]):
            share = row_shares[y, k]
            if k and not share:
                break
            # The row on the rim of two areas is averaged once.
            if first_rows[y] + k != latest:
                latest = first_rows[y] + k
                source = rows[latest]
                for x in range(source.shape[0]):
                    row[x] = source[x]
                if in_colour:
                    _average_colours(row, firsts, shares, here)
                else:
                    _average_greys(row, firsts, shares, here)
            if k:
                for x in range(total.shape[0]):
                    total[x] += share * here[x]
            else:
                for x in range(total.shape[0]):
                    total[x] = share * here[x]
        out = made[y]
        for x in range(total.shape[0]):
            out[x] = _as_byte(total[x])
    return made


def _averaging(taps: int) -> Any:
    """Return what averages a row of greys in areas of so many pixels: the compiler does without a loop."""

    @numba.njit(inline="always")
    def average(row, firsts, shares, out):  # type: ignore[no-untyped-def]
        for i in range(out.shape[0]):
            at, mine, total = np.uint64(firsts[i]), shares[i], np.float32(0)
            for k in range(taps):
                total += row[at + np.uint64(k)] * mine[k]
            out[i] = total

    return average


_average_two, _average_three, _average_four = _averaging(2), _averaging(3), _averaging(4)


@numba.njit(inline="always")
def _average_greys(row, firsts, shares, out):  # type: ignore[no-untyped-def]
    if shares.shape[1] == 2:
        _average_two(row, firsts, shares, out)
    elif shares.shape[1] == 3:
        _average_three(row, firsts, shares, out)
    elif shares.shape[1] == 4:
        _average_four(row, firsts, shares, out)
    else:
        for i in range(out.shape[0]):
            at, mine, total = np.uint64(firsts[i]), shares[i], np.float32(0)
            for k in range(np.uint64(mine.shape[0])):
                total += row[at + k] * mine[k]
            out[i] = total


@numba.njit(inline="always")
def _average_colours(row, firsts, shares, out):  # type: ignore[no-untyped-def]
    for i in range(firsts.shape[0]):
        red, green, blue, mine = np.float32(0), np.float32(0), np.float32(0), shares[i]
        for k in range(np.uint64(mine.shape[0])):
            at, share = _THREE * (np.uint64(firsts[i]) + k), mine[k]
            red += row[at] * share
            green += row[at + _ONE] * share
            blue += row[at + _TWO] * share
        out[3 * i], out[3 * i + 1], out[3 * i + 2] = red, green, blue


@kernel
def _interpolated(grey, runs, columns, above, rows):  # type: ignore[no-untyped-def]
    """Interpolate in whole numbers, which come out the same in any order: down first, since rows lie side by side."""
    made = np.empty((rows.shape[0], columns.shape[0]), np.uint8)
    row, pairs = np.zeros(grey.shape[1] + 1, np.uint16), np.zeros(grey.shape[1] + _RUN, np.uint32)
    following, chosen = row[1:], np.empty(columns.shape[0] + _RUN, np.uint32)
    for y in range(made.shape[0]):
        upper, lower = grey[above[y]], grey[min(above[y] + 1, grey.shape[0] - 1)]
        of_lower, of_upper = np.uint16(rows[y]), np.uint16(256 - rows[y])
        for x in range(grey.shape[1]):
            row[x] = np.uint16(upper[x]) * of_upper + np.uint16(lower[x]) * of_lower
        # A pixel and its next one in one number: half as many are read.
        for x in range(grey.shape[1]):
            pairs[x] = np.uint32(row[x]) | np.uint32(following[x]) << np.uint32(16)

        for run in range(runs.shape[0]):
            # Always eight: what is too much, the next run overwrites.
            i, j = np.uint64(runs[run, 0]), np.uint64(runs[run, 1])
            p0, p1, p2, p3 = pairs[j], pairs[j + _ONE], pairs[j + _TWO], pairs[j + _THREE]
            p4, p5, p6, p7 = pairs[j + _FOUR], pairs[j + _FIVE], pairs[j + _SIX], pairs[j + _SEVEN]
            chosen[i], chosen[i + _ONE], chosen[i + _TWO], chosen[i + _THREE] = p0, p1, p2, p3
            chosen[i + _FOUR], chosen[i + _FIVE], chosen[i + _SIX], chosen[i + _SEVEN] = p4, p5, p6, p7

        out = made[y]
        for x in range(out.shape[0]):
            here, following_one = chosen[x] & np.uint32(0xFFFF), chosen[x] >> np.uint32(16)
            value = here * (np.uint32(256) - columns[x]) + following_one * columns[x]
            out[x] = np.uint8((value + np.uint32(0x8000)) >> np.uint32(16))
    return made


@fused_kernel
def _smooth(framed, rim, weights):  # type: ignore[no-untyped-def]
    """Blur what lies within the rim, in place: a row is written when no other needs it any more.

    Each sum begins with nought, so that there is one order only in which its products can be added.
    """
    height, width = framed.shape[0] - 2 * rim, framed.shape[1] - 2 * rim
    row, lately = np.empty(width + 6, np.float32), np.empty((7, width), np.float32)
    r1, r2, r3, r4, r5, r6 = row[1:], row[2:], row[3:], row[4:], row[5:], row[6:]
    k0, k1, k2, k3, nothing = weights[0], weights[1], weights[2], weights[3], np.float32(0)
    for y in range(-3, height + 3):
        source = framed[y + rim, rim - 3 :]
        for x in range(width + 6):
            row[x] = source[x]
        across = lately[(y + 7) % 7]
        for x in range(width):
            half = (k0 * row[x] + nothing) + k1 * r1[x] + k2 * r2[x] + k3 * r3[x]
            across[x] = half + k2 * r4[x] + k1 * r5[x] + k0 * r6[x]
        if y < 3:
            continue

        a, b, c, d = lately[(y + 1) % 7], lately[(y + 2) % 7], lately[(y + 3) % 7], lately[(y + 4) % 7]
        e, f, g, out = lately[(y + 5) % 7], lately[(y + 6) % 7], across, framed[y - 3 + rim, rim:]
        for x in range(width):
            total = (k3 * d[x] + nothing) + k2 * (c[x] + e[x]) + k1 * (b[x] + f[x]) + k0 * (a[x] + g[x])
            out[x] = _as_byte(total)
