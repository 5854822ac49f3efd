"""From a few voted correspondences to an affine transform that many keypoints agree with.

Each correspondence of two oriented keypoints proposes a similarity (Lowe, IJCV 2004, section 7.3);
proposals that others agree with are refined by guided re-matching and robust affine refits.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits
from guardian.matching.features.keypoints import Keypoints, OrientedPoints, taken

Matrix = NDArray[np.float64]
"""float64 [6]: row-major 2x3, x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5; or [9]: row-major 3x3, a homography."""

_CELLS = 24
# Keypoints that agree are turned alike, to this many degrees.
_TURN_REACH = 25.0
_TURNS = 12
_TURN = 360 / _TURNS
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
class Nearness:
    """How an asset's keypoints look under a transform: `near` have one like them where they should be.

    `visible` lie within the candidate. `compared`: how many pairs there are of about the same place, size and angle.
    """

    near: int
    visible: int
    compared: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """How the asset might lie in the candidate. `agreeing` votes support it, of `votes` for this asset.

    `matrix` maps asset pixels to candidate pixels. `inverted`: the candidate shows its negative. Both counts are 0
    when the hash proposed it.
    """

    matrix: Matrix
    mirrored: bool
    agreeing: int = 0
    votes: int = 0
    inverted: bool = False

    def flipped(self, matrix: Matrix, width: int) -> Matrix:
        """Lead between the frame of the proposal's side and the candidate's own, `width` pixels wide.

        A flip is its own inverse.
        """
        return mirrored_back(matrix, width) if self.mirrored else matrix


class CandidateGrid:
    """The keypoints of one side of a candidate, sorted by place and angle so that neighbours are found at once."""

    def __init__(self, keypoints: Keypoints, width: int, height: int) -> None:
        self._cell = (width / _CELLS + 1e-6, height / _CELLS + 1e-6)
        column = np.clip((keypoints.x // self._cell[0]).astype(np.int64), 0, _CELLS - 1)
        row = np.clip((keypoints.y // self._cell[1]).astype(np.int64), 0, _CELLS - 1)
        turn = (keypoints.angle // np.float32(_TURN)).astype(np.int64) % _TURNS
        # Neighbours lie side by side in memory: row by row, in each those of one turn, from left to right.
        place = (row * _TURNS + turn) * _CELLS + column
        # `order` leads back to the keypoints as they came.
        self.order = np.argsort(place.astype(np.uint16), kind="stable").astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=_CELLS**2 * _TURNS))])
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

    def count_near(self, matrix: Matrix, asset: Keypoints, words: NDArray[np.uint64]) -> Nearness:
        """Count the keypoints that have one like them where the transform puts them, and those that could have.

        A quick look: one round of guided matching, no fit.
        """
        near, visible, compared = _count_near(
            np.asarray(matrix, dtype=np.float64),
            (asset.x, asset.y, asset.size, asset.angle, words),
            self._sorted,
            self._grid,
        )
        return Nearness(int(near), int(visible), int(compared))


def count_agreeing(
    asset: OrientedPoints, candidate: OrientedPoints, starts: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Count for n correspondences (equally long) how many agree with the similarity that each proposes.

    `starts` (n groups: int64 [n + 1], the last is the end) counts within each group only.
    """
    return np.asarray(
        _count_agreeing(
            (asset.x, asset.y, asset.size, asset.angle),
            (candidate.x, candidate.y, candidate.size, candidate.angle),
            np.array([0, len(asset)]) if starts is None else starts,
        )
    )


def weigh_agreeing(
    asset: OrientedPoints,
    candidate: OrientedPoints,
    starts: NDArray[np.int64],
    agreeing: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return how much weight agrees with the best correspondence of each of n groups: float32 [n].

    `starts` and `agreeing` are those of `count_agreeing`; `weights` float32 is as long as the correspondences.
    """
    points = (asset.x, asset.y, asset.size, asset.angle), (candidate.x, candidate.y, candidate.size, candidate.angle)
    return np.asarray(_weigh_agreeing(*points, starts, agreeing, weights))


def square(matrix: Matrix) -> NDArray[np.float64]:
    """Return the matrix as float64 [3, 3]."""
    if len(matrix) == 9:
        return matrix.reshape(3, 3)
    full = np.eye(3)
    full[:2] = matrix.reshape(2, 3)
    return full


def similarity_of(asset: NDArray[np.floating], candidate: NDArray[np.floating]) -> Matrix | None:
    """Return the similarity that lays points [n, 2] best on others; None when the points are degenerate."""
    matrix = np.empty(6)
    (ax, ay), (cx, cy) = asset.T.astype(np.float64), candidate.T.astype(np.float64)
    fits = _solve(ax, ay, cx, cy, np.ones(len(ax)), matrix, True) and _is_plausible(matrix)
    return matrix if fits else None


def homography_of(asset: NDArray[np.floating], candidate: NDArray[np.floating]) -> Matrix | None:
    """Return the homography [9] that lays points [n, 2] best on others, outliers left out; None when there is none."""
    found, _ = cv2.findHomography(asset.astype(np.float32), candidate.astype(np.float32), cv2.LMEDS)
    if found is None or not np.isfinite(found).all() or abs(found[2, 2]) < 1e-9:
        return None
    return np.asarray(found / found[2, 2], dtype=np.float64).ravel()


def proposed_similarity(asset: OrientedPoints, candidate: OrientedPoints, index: int) -> Matrix:
    """Return the similarity that one correspondence of oriented keypoints proposes, asset to candidate pixels."""
    scale = float(candidate.size[index]) / float(asset.size[index])
    turn = np.deg2rad(float(candidate.angle[index]) - float(asset.angle[index]))
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    x, y = float(asset.x[index]), float(asset.y[index])
    shift_x = float(candidate.x[index]) - cosine * x + sine * y
    shift_y = float(candidate.y[index]) - sine * x - cosine * y
    return np.array([cosine, -sine, shift_x, sine, cosine, shift_y])


def mirrored_back(matrix: Matrix, width: int) -> Matrix:
    """Follow `matrix` by a flip in a picture of `width`: to the mirrored candidate's frame, or back from it."""
    flip = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray((flip @ square(matrix)).ravel()[: len(matrix)])


@kernel
def _count_agreeing(asset, candidate, starts):  # type: ignore[no-untyped-def]
    agreeing = np.zeros(asset[0].shape[0], np.int32)
    for group in range(starts.shape[0] - 1):
        _count_in_group(asset, candidate, starts[group], starts[group + 1], agreeing)
    return agreeing


@kernel
def _count_in_group(asset, candidate, start, stop, agreeing):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        proposed = _proposed_by(asset, candidate, i)
        for j in range(start, stop):
            agreeing[i] += _agrees(asset, candidate, proposed, i, j)


@kernel
def _weigh_agreeing(asset, candidate, starts, agreeing, weights):  # type: ignore[no-untyped-def]
    weighed = np.zeros(starts.shape[0] - 1, np.float32)
    for group in range(weighed.shape[0]):
        start, stop = starts[group], starts[group + 1]
        best = start + agreeing[start:stop].argmax()
        proposed = _proposed_by(asset, candidate, best)
        for j in range(start, stop):
            if _agrees(asset, candidate, proposed, best, j):
                weighed[group] += weights[j]
    return weighed


@kernel
def _proposed_by(asset, candidate, i):  # type: ignore[no-untyped-def]
    """Return scale, turn in degrees, scaled cosine and sine of the similarity that one correspondence proposes."""
    scale = candidate[2][i] / asset[2][i]
    turn = candidate[3][i] - asset[3][i]
    return scale, turn, scale * np.cos(np.deg2rad(turn)), scale * np.sin(np.deg2rad(turn))


@kernel
def _agrees(asset, candidate, proposed, i, j):  # type: ignore[no-untyped-def]
    """Tell whether correspondence j agrees with what i proposes in place, size and angle."""
    ax, ay, asize, aangle = asset
    cx, cy, csize, cangle = candidate
    scale, turn, cosine, sine = proposed

    dx, dy = ax[j] - ax[i], ay[j] - ay[i]
    error_x = abs(cosine * dx - sine * dy + cx[i] - cx[j])
    error_y = abs(sine * dx + cosine * dy + cy[i] - cy[j])
    # Angle and size of one keypoint are coarse, so its proposal may drift with distance.
    reach = 0.35 * csize[j] + 0.08 * scale * np.sqrt(dx * dx + dy * dy)
    if error_x > reach or error_y > reach:
        return False

    zoom = csize[j] / asize[j] / scale
    if zoom > 1.8 or zoom < 0.55:
        return False
    return abs((cangle[j] - aangle[j] - turn + 900.0) % 360.0 - 180.0) <= 35.0


@kernel
def _refine(matrix, asset, candidate, grid):  # type: ignore[no-untyped-def]
    ax, ay, asize, _, _ = asset
    n = ax.shape[0]
    nearest, bits = np.full(n, -1, np.int32), np.zeros(n, np.int16)
    taken = np.full(candidate[0].shape[0], -1, np.int32)
    current, kept = matrix.copy(), matrix.copy()
    mine, theirs, differing = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int16)
    count = 0
    for rung in range(_REACH.shape[0]):
        scale = np.sqrt(current[0] * current[4] - current[1] * current[3])
        _pair(current, (scale, _REACH[rung], _BITS[rung]), asset, candidate, grid, (nearest, bits, taken))

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
        fitted, ok = _fit(ax[who], ay[who], candidate[0][whom], candidate[1][whom], asize[who] * scale)
        if not ok:
            break
        current[:] = fitted
    return kept, mine[:count].copy(), theirs[:count].copy(), differing[:count].copy()


@kernel
def _count_near(matrix, asset, candidate, grid):  # type: ignore[no-untyped-def]
    n = asset[0].shape[0]
    nearest, bits = np.full(n, -1, np.int32), np.zeros(n, np.int16)
    taken = np.full(candidate[0].shape[0], -1, np.int32)
    scale = np.sqrt(matrix[0] * matrix[4] - matrix[1] * matrix[3])
    compared = _pair(matrix, (scale, _REACH[0], _QUICK_BITS), asset, candidate, grid, (nearest, bits, taken))

    near, visible = 0, 0
    for i in range(n):
        near += nearest[i] >= 0
        x = matrix[0] * asset[0][i] + matrix[1] * asset[1][i] + matrix[2]
        y = matrix[3] * asset[0][i] + matrix[4] * asset[1][i] + matrix[5]
        visible += 0 <= x < _CELLS * grid[1] and 0 <= y < _CELLS * grid[2]
    return near, visible, compared


@kernel
def _pair(matrix, bounds, asset, candidate, grid, pairs):  # type: ignore[no-untyped-def]
    """Pair each asset keypoint with the candidate keypoint near its image that is closest in bits, one to one.

    Returns how many pairs of keypoints were compared.
    """
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

        # Only the cells of the grid that the reach touches, and in them the turns.
        left, right = int(np.floor((x - reach) / cell_width)), int(np.floor((x + reach) / cell_width))
        top, bottom = int(np.floor((y - reach) / cell_height)), int(np.floor((y + reach) / cell_height))
        if right < 0 or bottom < 0 or left >= _CELLS or top >= _CELLS:
            continue
        left, right = max(left, 0), min(right, _CELLS - 1)
        first_turn = int(np.floor((angle - _TURN_REACH) / _TURN))
        turns = int(np.floor((angle + _TURN_REACH) / _TURN)) - first_turn + 1
        first_turn %= _TURNS

        least, who = np.int64(radius + 1), -1
        for row in range(max(top, 0), min(bottom, _CELLS - 1) + 1):
            for turned in range(first_turn, first_turn + turns):
                first = (row * _TURNS + (turned if turned < _TURNS else turned - _TURNS)) * _CELLS
                for j in range(starts[first + left], starts[first + right + 1]):
                    apart = abs(cangle[j] - angle)
                    fits = (abs(cx[j] - x) <= reach) & (abs(cy[j] - y) <= reach)
                    fits &= (csize[j] <= largest) & (csize[j] >= smallest)
                    if not fits & ((apart <= _TURN_REACH) | (abs(apart - 360.0) <= _TURN_REACH)):
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


@kernel
def _fit(ax, ay, cx, cy, sizes):  # type: ignore[no-untyped-def]
    """Fit an affine by iteratively reweighted least squares; a similarity while there are fewer than six points."""
    matrix = np.empty(6)
    weights = np.ones(ax.shape[0])
    if ax.shape[0] < 6:
        ok = _solve(ax, ay, cx, cy, weights, matrix, True)
        return matrix, ok and _is_plausible(matrix)

    # Cauchy weights: what lies far off the fit hardly pulls on the next one.
    for _ in range(4):
        if not _solve(ax, ay, cx, cy, weights, matrix, False):
            return matrix, False
        for i in range(ax.shape[0]):
            error_x = matrix[0] * ax[i] + matrix[1] * ay[i] + matrix[2] - cx[i]
            error_y = matrix[3] * ax[i] + matrix[4] * ay[i] + matrix[5] - cy[i]
            weights[i] = 1.0 / (1.0 + (error_x**2 + error_y**2) / (0.06 * sizes[i]) ** 2)
    return matrix, _is_plausible(matrix)


@kernel
def _solve(ax, ay, cx, cy, weights, matrix, similarity):  # type: ignore[no-untyped-def]
    """Solve weighted least squares about the centroids, into `matrix`. False when the points are degenerate."""
    # In one go, as sums of whole arrays would add up, without making the arrays.
    total, mx, my, ux, uy = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(ax.shape[0]):
        total += weights[i]
        mx += weights[i] * ax[i]
        my += weights[i] * ay[i]
        ux += weights[i] * cx[i]
        uy += weights[i] * cy[i]
    mx, my, ux, uy = mx / total, my / total, ux / total, uy / total

    xx, xy, yy, xu, yu, xv, yv = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(ax.shape[0]):
        x, y, u, v = ax[i] - mx, ay[i] - my, cx[i] - ux, cy[i] - uy
        xx += weights[i] * x * x
        xy += weights[i] * x * y
        yy += weights[i] * y * y
        xu += weights[i] * x * u
        yu += weights[i] * y * u
        xv += weights[i] * x * v
        yv += weights[i] * y * v

    if similarity:
        if xx + yy < 1e-9:
            return False
        cosine, sine = (xu + yv) / (xx + yy), (xv - yu) / (xx + yy)
        matrix[0], matrix[1], matrix[3], matrix[4] = cosine, -sine, sine, cosine
    else:
        determinant = xx * yy - xy * xy
        if determinant <= 1e-9 * (xx + yy) ** 2:
            return False
        matrix[0], matrix[1] = (xu * yy - yu * xy) / determinant, (yu * xx - xu * xy) / determinant
        matrix[3], matrix[4] = (xv * yy - yv * xy) / determinant, (yv * xx - xv * xy) / determinant

    matrix[2] = ux - matrix[0] * mx - matrix[1] * my
    matrix[5] = uy - matrix[3] * mx - matrix[4] * my
    return True


@kernel
def _is_plausible(matrix):  # type: ignore[no-untyped-def]
    """Check that orientation is kept (mirrors are handled before), nothing collapsed, stretched less than 2.5 to 1."""
    determinant = matrix[0] * matrix[4] - matrix[1] * matrix[3]
    if determinant <= 1e-6:
        return False
    squares = matrix[0] ** 2 + matrix[1] ** 2 + matrix[3] ** 2 + matrix[4] ** 2
    difference = np.sqrt(max(0.0, squares * squares - 4.0 * determinant * determinant))
    return squares + difference < 2.5**2 * (squares - difference)
