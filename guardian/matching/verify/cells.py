"""Two pictures laid on each other, compared cell by cell by local normalised cross-correlation."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

CELL = 12
"""Side of a cell in pixels."""

AGREES = 0.5
"""Correlation from which the two pictures show the same thing in a cell."""

_NOISE = 4.0  # grey levels squared, keeps flat cells from correlating by chance
# A candidate that was faded or darkened has less noise with its contrast, down to what JPEG leaves in a shrunk picture.
_LEAST_NOISE = 0.25
_RICH_VARIANCE = 16.0
_FOREIGN_VARIANCE = 100.0
_VISIBLE_SHARE = 0.7
_HOLE_BELOW = 0.35

# Contrast is measured where the two correlate whatever it is: in so many cells at least, and that share of rich ones.
_CONTRAST_CELLS, _CONTRAST_SHARE, _CONTRAST_FROM = 6, 0.2, 0.6
_LEAST_CONTRAST = 0.15

# The planes of what is measured of each cell: the asset's, but where "their" says that it is the candidate's.
_SEEN, _VARIANCE, _COVARIANCE, _NATURALNESS, _MEAN, _THEIR_MEAN, _THEIR_VARIANCE = range(7)


@dataclass(frozen=True, slots=True)
class CellMap:
    """All cells of a comparison; arrays are [rows, columns].

    `correlation` is float32, -1 to 1. `contrast`: the candidate's as a share of the asset's where both show the same,
    at most 1; 1 where that is not known. `known`: enough of the cell is visible in the candidate. `rich`: known, with
    texture in the asset. `weight`: how photograph-like a rich cell of the asset is (many greys, no flat ground), 0 for
    others. `foreign`: known, hardly any texture in the asset and much in the candidate. `their_variance`: float32, of
    the candidate's grey levels. `means`: float32 [2, rows, columns], mean grey in asset and candidate. `whole`:
    correlation of all visible pixels at once.
    """

    correlation: NDArray[np.float32]
    known: NDArray[np.bool_]
    rich: NDArray[np.bool_]
    weight: NDArray[np.float32]
    foreign: NDArray[np.bool_]
    their_variance: NDArray[np.float32]
    means: NDArray[np.float32]
    whole: float
    contrast: float

    @property
    def mean(self) -> float:
        """Mean correlation of the rich cells; NaN without any."""
        rich = int(self.rich.sum())
        return float(self.correlation[self.rich].sum()) / rich if rich else float("nan")

    @property
    def agreeing(self) -> NDArray[np.bool_]:
        """bool [rows, columns]: rich cells in which both show the same."""
        return self.rich & (self.correlation > AGREES)


def compare_cells(
    mine: NDArray[np.float32] | NDArray[np.uint8],
    theirs: NDArray[np.float32] | NDArray[np.uint8],
    to_frame: NDArray[np.float64],
    frame: tuple[int, int],
) -> CellMap:
    """Compare grey pictures [h, w], both float32 or uint8.

    `theirs` is seen where `to_frame` (3x3) leads into `frame` (width, height). Rows and columns beyond the last whole
    cell are left out.
    """
    # Sums of whole numbers are the same in any order, so that the compiler adds many at once.
    kinds = (np.int64(0), np.int64(0)) if mine.dtype == np.uint8 else (np.float32(0), np.float64(0))
    planes, whole = _compare(mine, theirs, to_frame, frame[0] - 1.0, frame[1] - 1.0, kinds)
    known, rich, alike = _told_apart(planes)
    contrast = _contrast_of(planes, rich, alike)

    return CellMap(
        correlation=_correlations(planes, np.float32(max(_LEAST_NOISE, _NOISE * contrast**2))),
        known=known,
        rich=rich,
        weight=planes[_NATURALNESS],
        foreign=known & ~rich & (planes[_THEIR_VARIANCE] > _FOREIGN_VARIANCE),
        their_variance=planes[_THEIR_VARIANCE],
        means=planes[_MEAN : _THEIR_MEAN + 1],
        whole=whole,
        contrast=contrast,
    )


def _contrast_of(planes: NDArray[np.float32], rich: NDArray[np.bool_], alike: NDArray[np.bool_]) -> float:
    """Return how much of the asset's contrast the candidate has in the cells that are `alike`, at most 1.

    1 where too few are for it to be known.
    """
    if np.count_nonzero(alike) < max(_CONTRAST_CELLS, _CONTRAST_SHARE * np.count_nonzero(rich)):
        return 1.0
    slope = float(np.median(planes[_COVARIANCE][alike] / planes[_VARIANCE][alike]))
    return min(1.0, max(_LEAST_CONTRAST, slope))


def missing(cells: CellMap) -> NDArray[np.bool_]:
    """Return the rich cells in which the candidate shows something else: bool [rows, columns]."""
    return cells.rich & (cells.correlation < _HOLE_BELOW)


def hole_of(without: NDArray[np.bool_], rich: int) -> float:
    """Return the size of the largest connected part of the cells `without`, as a share of the rich ones."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(without.astype(np.uint8), connectivity=4)
    return float(statistics[1:, 4].max() / max(1, rich)) if len(statistics) > 1 else 0.0


@kernel
def _compare(mine, theirs, to_frame, last_x, last_y, kinds):  # type: ignore[no-untyped-def]
    """Measure every cell: float32 [7, rows, columns] by the planes named above, and the correlation of the whole.

    `kinds`: noughts of the kinds in which grey levels are multiplied and added up. Only of rich cells it is told how
    natural they are.
    """
    rows, columns = mine.shape[0] // CELL, mine.shape[1] // CELL
    planes = np.zeros((7, rows, columns), np.float32)
    total, sums = np.zeros(6), np.zeros(6)
    counts = np.zeros(16, np.int64)
    for row in range(rows):
        for column in range(columns):
            corner = (row * CELL, column * CELL)
            if _is_within(corner, to_frame, last_x, last_y):
                _add_up_all(mine, theirs, corner, sums, kinds)
            else:
                _add_up(mine, theirs, corner, (to_frame, last_x, last_y), sums)
            total += sums
            covariance, variance, their_variance, mean_a, mean_b = _moments(sums)
            planes[_SEEN, row, column] = sums[0]
            planes[_VARIANCE, row, column] = variance
            planes[_COVARIANCE, row, column] = covariance
            if _is_rich(planes[_SEEN, row, column], planes[_VARIANCE, row, column]):
                _count_greys(mine, corner, counts)
                planes[_NATURALNESS, row, column] = _naturalness(counts)
            planes[_MEAN, row, column] = mean_a
            planes[_THEIR_MEAN, row, column] = mean_b
            planes[_THEIR_VARIANCE, row, column] = their_variance
    covariance, variance, their_variance, _, _ = _moments(total)
    return planes, covariance / np.sqrt((variance + _NOISE) * (their_variance + _NOISE))


@kernel
def _is_rich(seen, variance):  # type: ignore[no-untyped-def]
    return seen > np.float32(_VISIBLE_SHARE * CELL * CELL) and variance > np.float32(_RICH_VARIANCE)


@kernel
def _told_apart(planes):  # type: ignore[no-untyped-def]
    """Return which cells are known, which of these are rich, and in which of these both surely show the same."""
    _, rows, columns = planes.shape
    known, rich = np.zeros((rows, columns), np.bool_), np.zeros((rows, columns), np.bool_)
    alike = np.zeros((rows, columns), np.bool_)
    for row in range(rows):
        for column in range(columns):
            seen, variance = planes[_SEEN, row, column], planes[_VARIANCE, row, column]
            known[row, column] = seen > np.float32(_VISIBLE_SHARE * CELL * CELL)
            if _is_rich(seen, variance):
                rich[row, column] = True
                correlation = _correlation(planes, row, column, np.float32(_LEAST_NOISE))
                alike[row, column] = correlation > np.float32(_CONTRAST_FROM)
    return known, rich, alike


@kernel
def _correlations(planes, noise):  # type: ignore[no-untyped-def]
    """Return the correlation of every cell, with so much noise (grey levels squared) counted into the candidate."""
    _, rows, columns = planes.shape
    correlations = np.empty((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            correlations[row, column] = _correlation(planes, row, column, noise)
    return correlations


@kernel
def _correlation(planes, row, column, noise):  # type: ignore[no-untyped-def]
    mine, theirs = planes[_VARIANCE, row, column], planes[_THEIR_VARIANCE, row, column]
    return planes[_COVARIANCE, row, column] / np.sqrt((mine + np.float32(_NOISE)) * (theirs + noise))


@kernel
def _is_within(corner, to_frame, last_x, last_y):  # type: ignore[no-untyped-def]
    """Tell whether an affine transform puts all pixels of a cell well inside of the frame."""
    if to_frame[2, 0] != 0.0 or to_frame[2, 1] != 0.0 or to_frame[2, 2] != 1.0:
        return False
    for y in (corner[0], corner[0] + CELL - 1):
        for x in (corner[1], corner[1] + CELL - 1):
            across = to_frame[0, 0] * x + to_frame[0, 1] * y + to_frame[0, 2]
            down = to_frame[1, 0] * x + to_frame[1, 1] * y + to_frame[1, 2]
            # What is rounded otherwise for a pixel between them is less than this.
            if across < 1e-6 or down < 1e-6 or across > last_x - 1e-6 or down > last_y - 1e-6:
                return False
    return True


@kernel
def _add_up_all(mine, theirs, corner, sums, kinds):  # type: ignore[no-untyped-def]
    """Fill `sums` (n, a, b, aa, bb, ab) of all pixels of one cell."""
    level, nought = kinds
    sum_a, sum_b, sum_aa, sum_bb, sum_ab = nought, nought, nought, nought, nought
    for y in range(corner[0], corner[0] + CELL):
        my_row, their_row = mine[y, corner[1] : corner[1] + CELL], theirs[y, corner[1] : corner[1] + CELL]
        for x in range(CELL):
            a, b = level + my_row[x], level + their_row[x]
            sum_a += a
            sum_b += b
            sum_aa += a * a
            sum_bb += b * b
            sum_ab += a * b
    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5] = CELL * CELL, sum_a, sum_b, sum_aa, sum_bb, sum_ab


@kernel
def _count_greys(mine, corner, counts):  # type: ignore[no-untyped-def]
    """Fill `counts` of all of the asset's grey levels in one cell; it has a place for every sixteen levels."""
    counts[:] = 0
    for y in range(corner[0], corner[0] + CELL):
        for x in range(corner[1], corner[1] + CELL):
            counts[min(15, max(0, np.int64(mine[y, x]) >> 4))] += 1


@kernel
def _add_up(mine, theirs, corner, frame, sums):  # type: ignore[no-untyped-def]
    """Fill `sums` (n, a, b, aa, bb, ab) of the visible pixels of one cell."""
    (top, left), (to_frame, last_x, last_y) = corner, frame
    sums[:] = 0.0
    for y in range(top, top + CELL):
        for x in range(left, left + CELL):
            a, b = float(mine[y, x]), float(theirs[y, x])
            depth = to_frame[2, 0] * x + to_frame[2, 1] * y + to_frame[2, 2]
            # Behind the horizon of a homography nothing is seen; and numba's division by nought raises.
            if depth <= 0:
                continue
            across = (to_frame[0, 0] * x + to_frame[0, 1] * y + to_frame[0, 2]) / depth
            down = (to_frame[1, 0] * x + to_frame[1, 1] * y + to_frame[1, 2]) / depth
            if across < 0 or down < 0 or across > last_x or down > last_y:
                continue

            sums[0] += 1
            sums[1] += a
            sums[2] += b
            sums[3] += a * a
            sums[4] += b * b
            sums[5] += a * b


@kernel
def _naturalness(counts):  # type: ignore[no-untyped-def]
    """Return 0 to 2: how photograph-like a cell is. Many grey levels (entropy in bits), none of them most of it."""
    entropy, most = 0.0, 0.0
    for count in counts:
        if count:
            share = count / (CELL * CELL)
            entropy -= share * np.log2(share)
            most = max(most, share)
    return min(2.0, max(0.0, entropy - 1.2)) * (1.0 - most)


@kernel
def _moments(sums):  # type: ignore[no-untyped-def]
    """Turn sums n, a, b, aa, bb, ab into covariance, both variances and both means."""
    n = max(1.0, sums[0])
    mean_a, mean_b = sums[1] / n, sums[2] / n
    variance_a, variance_b = max(0.0, sums[3] / n - mean_a**2), max(0.0, sums[4] / n - mean_b**2)
    return sums[5] / n - mean_a * mean_b, variance_a, variance_b, mean_a, mean_b
