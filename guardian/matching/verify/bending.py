"""Finds how a picture is bent beyond what one transform says: printed round a mug, on cloth in folds, on a curled page.

The bend is smooth. It moves whole regions, never single letters: otherwise another page of one design could be bent
until it looks alike.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.pyramid import Pyramid
from guardian.matching.geometry import Matrix, square

_SIDES = (80, 160)
"""Pixels of the longer side at which the two are compared, coarse and fine."""

_ROUNDS = 3
_WINDOW = (9, 9)
"""Pixels about a place whose pixels move together: a few letters at least."""

_MOST = 0.08
"""What moves farther, as a share of the longer side, was mistaken for something else."""

_SMALLEST = 24


@dataclass(frozen=True, slots=True)
class Bend:
    """How far the points of a part of an asset lie from where the transform puts them.

    `shift` is float32 [h, w, 2], across and down in asset pixels, on an even grid over `pixels` (left, top, right,
    bottom in asset pixels).
    """

    pixels: tuple[float, float, float, float]
    shift: NDArray[np.float32]

    def straightened(self, grey: NDArray[np.float32], to_asset: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return a candidate's samples, float32 [h, w], as they would be without the bend.

        `to_asset` (3x3, scale and shift alone) maps samples to asset pixels.
        """
        left, top, right, bottom = self.pixels
        rows, columns = self.shift.shape[:2]
        step = to_asset[0, 0]

        # From samples to the grid of the bend, each counted by its centres.
        across, down = step * columns / (right - left), step * rows / (bottom - top)
        to_grid = np.array(
            [
                [across, 0.0, (to_asset[0, 2] - left) * columns / (right - left) + 0.5 * across - 0.5],
                [0.0, down, (to_asset[1, 2] - top) * rows / (bottom - top) + 0.5 * down - 0.5],
            ]
        )
        size = (grey.shape[1], grey.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        shift = cv2.warpAffine(self.shift, to_grid, size, flags=flags, borderMode=cv2.BORDER_REPLICATE) / step
        y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
        moved = (x + shift[..., 0]).astype(np.float32), (y + shift[..., 1]).astype(np.float32)
        return np.asarray(cv2.remap(grey, *moved, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def bend_of(
    matrix: Matrix, pixels: tuple[float, float, float, float], asset: Pyramid, candidate: Pyramid
) -> Bend | None:
    """Find the smooth bend under which a part (`pixels`) of the asset lies best on the candidate near `matrix`.

    Windows of both are laid on each other by least squares of their pixels (Lucas and Kanade, IJCAI 1981), coarse to
    fine. None where the part is too small.
    """
    left, top, right, bottom = pixels
    longer, shorter = max(right - left, bottom - top), min(right - left, bottom - top)
    if shorter / longer * _SIDES[0] < _SMALLEST:
        return None

    flow = np.zeros((1, 1, 2), np.float32)
    for side in _SIDES:
        step = longer / side
        size = (round((right - left) / step), round((bottom - top) / step))
        to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
        mine = _evened(asset.sample(to_asset, size)[0])
        theirs = _evened(candidate.sample(square(matrix) @ to_asset, size)[0])
        flow = _moved_windows(mine, theirs, cv2.resize(flow, size) * np.float32(size[0] / flow.shape[1]))
    return Bend(pixels, np.asarray(flow * step, np.float32))


def _moved_windows(
    mine: NDArray[np.float32], theirs: NDArray[np.float32], flow: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return where the windows about all pixels of `mine` lie in `theirs`, float32 [h, w, 2], beginning with `flow`."""
    across, down = cv2.Sobel(mine, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(mine, cv2.CV_32F, 0, 1, scale=1 / 8)
    xx, xy, yy = _summed(across * across), _summed(across * down), _summed(down * down)
    # Where a window holds nothing to hold on to, it stays where it is.
    hold = np.float32(0.05) * (xx + yy).mean() + np.float32(1e-6)
    xx, yy = xx + hold, yy + hold
    determinant = xx * yy - xy * xy

    y, x = np.mgrid[: mine.shape[0], : mine.shape[1]].astype(np.float32)
    most = _MOST * max(mine.shape)
    for _ in range(_ROUNDS):
        seen = cv2.remap(theirs, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x_left, y_left = _summed(across * (mine - seen)), _summed(down * (mine - seen))
        change = np.stack([yy * x_left - xy * y_left, xx * y_left - xy * x_left], axis=2) / determinant[..., None]
        flow = np.clip(_summed(flow + np.clip(change, -2, 2)), -most, most)
    return flow


def _summed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of windows about all pixels, those near the middle counted more."""
    return np.asarray(cv2.blur(cv2.blur(values, _WINDOW), _WINDOW), np.float32)


def _evened(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the picture without its shading, which moves nothing, as strong everywhere: float32 [h, w]."""
    fine = grey - _summed(_summed(grey))
    return np.asarray(fine / (np.sqrt(np.maximum(_summed(_summed(fine * fine)), 0.0)) + 2.0), np.float32)
