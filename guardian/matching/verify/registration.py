"""Lays two pictures on each other more exactly than keypoints do, by their pixels.

Where keypoints are few, sit close together or repeat, a fit to them is off by some pixels at the far side; and a hash
proposes a transform without any. Both suffice to see that the two agree, and not to compare letters.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.pyramid import Pyramid
from guardian.matching.geometry import Matrix, square
from guardian.matching.verify.alignment import Overlap
from guardian.matching.verify.cells import CELL

_SIDES = (96, 224)
"""Pixels of the longer side, coarse and fine: what is off by many pixels of the second is off by few of the first."""

_ROUNDS, _ENOUGH = 25, 1e-4
_SMOOTHED = 5
_LEAST_VISIBLE = 0.1

# Samples are counted by their centres, matrices of pictures by their edges.
_HALF = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
_HALF_BACK = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])


def registered(matrix: Matrix, shown: Overlap, asset: Pyramid, candidate: Pyramid) -> Matrix | None:
    """Return the transform near `matrix` under which the shown part correlates best; None when there is none.

    Maximises the enhanced correlation coefficient over affine changes (Evangelidis and Psarakis, PAMI 2008).
    """
    left, top, right, bottom = shown.pixels
    full = square(matrix)
    for side in _SIDES:
        step = max(right - left, bottom - top) / side
        size = (max(CELL, round((right - left) / step)), max(CELL, round((bottom - top) / step)))
        to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
        change = _change(asset, candidate, to_asset, full, size)
        if change is None:
            return None
        full = full @ to_asset @ change @ np.linalg.inv(to_asset)

    if not np.isfinite(full).all() or abs(full[2, 2]) < 1e-9:
        return None
    full /= full[2, 2]
    return full[:2].ravel() if len(matrix) == 6 else full.ravel()


def _change(
    asset: Pyramid, candidate: Pyramid, to_asset: NDArray[np.float64], full: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float64] | None:
    """Return the 3x3 move of the candidate's samples that fits them to the asset's, in samples; None if none does."""
    mine, _, _ = asset.sample(to_asset, size)
    theirs, to_level, (width, height) = candidate.sample(full @ to_asset, size)

    # What lies outside of the candidate is no part of it.
    at = np.ones((3, size[1], size[0]))
    at[0], at[1] = np.arange(size[0]), np.arange(size[1])[:, None]
    across, down, depth = (to_level @ at.reshape(3, -1)).reshape(at.shape)
    if to_level[2].tolist() == [0.0, 0.0, 1.0]:
        seen = (across >= 0) & (down >= 0) & (across <= width - 1) & (down <= height - 1)
    else:
        depth = np.where(depth > 1e-9, depth, np.nan)
        with np.errstate(invalid="ignore"):
            seen = (across >= 0) & (down >= 0) & (across <= (width - 1) * depth) & (down <= (height - 1) * depth)
    if seen.mean() < _LEAST_VISIBLE:
        return None

    start = np.eye(2, 3, dtype=np.float32)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, _ENOUGH)
    try:
        _, found = cv2.findTransformECC(mine, theirs, start, cv2.MOTION_AFFINE, until, seen.astype(np.uint8), _SMOOTHED)
    except cv2.error:
        # It says so when the two do not correlate, or hold nothing to hold on to.
        return None
    return np.asarray(_HALF @ np.vstack([found, [0.0, 0.0, 1.0]]) @ _HALF_BACK, np.float64)
