"""Transforms from asset to candidate pixels, and how they are fitted to pairs of points.

A transform that keypoints or hashes propose is refined by guided_matching.py; consensus.py counts what agrees with it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

Matrix = NDArray[np.float64]
"""float64 [6]: row-major 2x3, x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5; or [9]: row-major 3x3, a homography."""


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


def mirrored_back(matrix: Matrix, width: int) -> Matrix:
    """Follow `matrix` by a flip in a picture of `width`: to the mirrored candidate's frame, or back from it."""
    flip = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray((flip @ square(matrix)).ravel()[: len(matrix)])


@kernel
def fitted_affine(ax, ay, cx, cy, sizes):  # type: ignore[no-untyped-def]
    """Fit an affine by iteratively reweighted least squares; a similarity while there are fewer than six points.

    Places of n points, float [n] each, in the asset and in the candidate; `sizes` of the candidate's in its pixels.
    Returns float64 [6], and whether it is plausible.
    """
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
