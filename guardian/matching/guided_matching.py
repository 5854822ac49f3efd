"""Guided matching: follows a proposed transform to the keypoints that agree with it, and refits it to them.

A keypoint of the asset is searched for only near the place, size and angle that the transform gives it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits
from guardian.matching.features.keypoints import Keypoints, taken
from guardian.matching.geometry import Matrix, fitted_affine

# Keypoints are sorted into so many cells across and down, and in each into so many bins of angle (degrees).
_CELLS = 24
_BINS = 12
_BIN = 360 / _BINS
_ANGLE_REACH = 25.0
"""Degrees by which the angles of keypoints that agree may differ."""

# Rounds of guided matching: reach as a share of the keypoint's size, and bits that may differ.
_REACH = np.array([0.6, 0.3, 0.15])
_BITS = np.array([56, 60, 64])
# Fewer for a quick look, which must tell chance from evidence without refinement.
_QUICK_BITS = 48


@dataclass(frozen=True, slots=True)
class Agreement:
    """A transform and the correspondences that agree with it: int32 [n] indices and int16 [n] bits that differ."""

    matrix: Matrix
    asset: NDArray[np.int32]
    candidate: NDArray[np.int32]
    bits: NDArray[np.int16]


@dataclass(frozen=True, slots=True, order=True)
class QuickLook:
    """What one round of guided matching says of an asset's keypoints under a transform.

    `inliers` have a similar one where they should be. `visible` lie within the candidate. `compared`: how many pairs
    there are of about the same place, size and angle.
    """

    inliers: int
    visible: int
    compared: int


class CandidateGrid:
    """The keypoints of one side of a candidate, sorted by place and angle so that neighbours are found at once."""

    def __init__(self, keypoints: Keypoints, width: int, height: int) -> None:
        self._cell = (width / _CELLS + 1e-6, height / _CELLS + 1e-6)
        column = np.clip((keypoints.x // self._cell[0]).astype(np.int64), 0, _CELLS - 1)
        row = np.clip((keypoints.y // self._cell[1]).astype(np.int64), 0, _CELLS - 1)
        angle_bin = (keypoints.angle // np.float32(_BIN)).astype(np.int64) % _BINS
        # Neighbours lie side by side in memory: row by row, in each those of one bin of angle, from left to right.
        place = (row * _BINS + angle_bin) * _CELLS + column
        # `order` leads back to the keypoints as they came.
        self.order = np.argsort(place.astype(np.uint16), kind="stable").astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=_CELLS**2 * _BINS))])
        # Of two that are equally close, the first by cell is taken.
        rank = ((row * _CELLS + column) * len(keypoints))[self.order] + self.order
        sorted_points = taken(keypoints, self.order)
        oriented = (getattr(sorted_points, name) for name in ("x", "y", "size", "angle"))
        self._sorted = (*oriented, sorted_points.words, rank)
        self._grid = (self._starts.astype(np.int32), *self._cell)

    def refine(self, matrix: Matrix, asset: Keypoints, words: NDArray[np.uint64]) -> Agreement | None:
        """Follow a proposed transform (asset to candidate pixels) to what most keypoints agree with.

        None when fewer than three do.
        """
        refined, mine, theirs, bits = _refine(
            np.asarray(matrix, dtype=np.float64),
            (asset.x, asset.y, asset.size, asset.angle, words),
            self._sorted,
            self._grid,
        )
        return Agreement(refined, mine, self.order[theirs], bits) if len(mine) >= 3 else None

    def quick_look(self, matrix: Matrix, asset: Keypoints, words: NDArray[np.uint64]) -> QuickLook:
        """Count the asset's keypoints that agree with a transform, and those that could: one round, and no fit."""
        inliers, visible, compared = _quick_look(
            np.asarray(matrix, dtype=np.float64),
            (asset.x, asset.y, asset.size, asset.angle, words),
            self._sorted,
            self._grid,
        )
        return QuickLook(int(inliers), int(visible), int(compared))


@kernel
def _refine(matrix, asset, candidate, grid):  # type: ignore[no-untyped-def]
    """Narrow the reach and refit, round by round; see CandidateGrid for what goes in.

    Returns the last transform and its pairs: which of the asset's keypoints, which of the candidate's as it is sorted,
    and how many of their bits differ.
    """
    ax, ay, asize, _, _ = asset
    n = ax.shape[0]
    nearest, bits = np.full(n, -1, np.int32), np.zeros(n, np.int16)
    taken = np.full(candidate[0].shape[0], -1, np.int32)
    current, kept = matrix.copy(), matrix.copy()
    mine, theirs, differing = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int16)
    count = 0
    for number in range(_REACH.shape[0]):
        scale = np.sqrt(current[0] * current[4] - current[1] * current[3])
        _pair(current, (scale, _REACH[number], _BITS[number]), asset, candidate, grid, (nearest, bits, taken))

        found = 0
        for i in range(n):
            found += nearest[i] >= 0
        if found < 3:
            break

        count = 0
        for i in range(n):
            if nearest[i] >= 0:
                mine[count], theirs[count], differing[count] = i, nearest[i], bits[i]
                count += 1

        # `kept` is the transform under which these pairs were found; the refit leads to the next round.
        kept[:] = current
        who, whom = mine[:count], theirs[:count]
        fitted, ok = fitted_affine(ax[who], ay[who], candidate[0][whom], candidate[1][whom], asize[who] * scale)
        if not ok:
            break
        current[:] = fitted
    return kept, mine[:count].copy(), theirs[:count].copy(), differing[:count].copy()


@kernel
def _quick_look(matrix, asset, candidate, grid):  # type: ignore[no-untyped-def]
    """Return the three numbers of QuickLook."""
    n = asset[0].shape[0]
    nearest, bits = np.full(n, -1, np.int32), np.zeros(n, np.int16)
    taken = np.full(candidate[0].shape[0], -1, np.int32)
    scale = np.sqrt(matrix[0] * matrix[4] - matrix[1] * matrix[3])
    compared = _pair(matrix, (scale, _REACH[0], _QUICK_BITS), asset, candidate, grid, (nearest, bits, taken))

    inliers, visible = 0, 0
    for i in range(n):
        inliers += nearest[i] >= 0
        x = matrix[0] * asset[0][i] + matrix[1] * asset[1][i] + matrix[2]
        y = matrix[3] * asset[0][i] + matrix[4] * asset[1][i] + matrix[5]
        visible += 0 <= x < _CELLS * grid[1] and 0 <= y < _CELLS * grid[2]
    return inliers, visible, compared


@kernel
def _pair(matrix, bounds, asset, candidate, grid, pairs):  # type: ignore[no-untyped-def]
    """Pair each asset keypoint with the candidate keypoint near its image that is closest in bits, one to one.

    `bounds`: the transform's scale, the reach as a share of the keypoint's size, bits that may differ. Fills `pairs`:
    the candidate's keypoint and the bits of each of the asset's, and the asset's of each of the candidate's; -1 for
    none. Returns how many pairs of keypoints were compared.
    """
    # In one piece: with a function of its own for the search around a keypoint it takes one and a half times as long.
    ax, ay, asize, aangle, awords = asset
    cx, cy, csize, cangle, cwords, rank = candidate
    starts, cell_width, cell_height = grid
    scale, reach_share, radius = bounds
    nearest, bits, taken = pairs

    turn = np.rad2deg(np.arctan2(matrix[3] - matrix[1], matrix[0] + matrix[4]))
    nearest[:] = -1
    taken[:] = -1
    compared = 0
    for i in range(ax.shape[0]):
        x = matrix[0] * ax[i] + matrix[1] * ay[i] + matrix[2]
        y = matrix[3] * ax[i] + matrix[4] * ay[i] + matrix[5]
        size = asize[i] * scale
        reach, smallest, largest, angle = reach_share * size, 0.6 * size, 1.7 * size, aangle[i] + turn

        # Only the cells of the grid that the reach touches, and in them the bins of similar angles.
        left, right = int(np.floor((x - reach) / cell_width)), int(np.floor((x + reach) / cell_width))
        top, bottom = int(np.floor((y - reach) / cell_height)), int(np.floor((y + reach) / cell_height))
        if right < 0 or bottom < 0 or left >= _CELLS or top >= _CELLS:
            continue
        left, right = max(left, 0), min(right, _CELLS - 1)
        first_bin = int(np.floor((angle - _ANGLE_REACH) / _BIN))
        bins = int(np.floor((angle + _ANGLE_REACH) / _BIN)) - first_bin + 1
        first_bin %= _BINS

        least, who = np.int64(radius + 1), -1
        for row in range(max(top, 0), min(bottom, _CELLS - 1) + 1):
            for angle_bin in range(first_bin, first_bin + bins):
                first = (row * _BINS + (angle_bin if angle_bin < _BINS else angle_bin - _BINS)) * _CELLS
                for j in range(starts[first + left], starts[first + right + 1]):
                    apart = abs(cangle[j] - angle)
                    fits = (abs(cx[j] - x) <= reach) & (abs(cy[j] - y) <= reach)
                    fits &= (csize[j] <= largest) & (csize[j] >= smallest)
                    if not fits & ((apart <= _ANGLE_REACH) | (abs(apart - 360.0) <= _ANGLE_REACH)):
                        continue
                    compared += 1
                    distance = np.int64(0)
                    for w in range(4):
                        distance += np.int64(count_bits(cwords[j, w] ^ awords[i, w]))
                    if distance < least or (distance == least and who >= 0 and rank[j] < rank[who]):
                        least, who = distance, j

        if who < 0:
            continue

        # One to one: the closer of two asset keypoints keeps the candidate's, the other goes without.
        rival = taken[who]
        if rival >= 0:
            if bits[rival] <= least:
                continue
            nearest[rival] = -1
        taken[who], nearest[i], bits[i] = i, who, least
    return compared
