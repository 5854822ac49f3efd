"""Lay the asset over the candidate by the recovered transform and compare the pixels, cell by cell.

This tells a copy from pictures that only share a caption, a watermark, a frame or a texture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.geometry import Matrix
from guardian.model import Box

Floats = NDArray[np.floating]

SIDE = 128
"""Pixels of the longer side of the overlap at which the two are compared."""

CELL = 12
_NOISE = 4.0  # grey levels squared, keeps flat cells from correlating by chance
_RICH_VARIANCE = 16.0


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two pictures share under a transform: `pixels` is the box in asset pixels, boxes are fractions."""

    pixels: tuple[float, float, float, float]
    asset_box: Box
    candidate_box: Box
    asset_coverage: float
    candidate_coverage: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """Local correlations (-1 to 1) of the overlap's cells. NaN where there was nothing to measure.

    `rich` cells of `cells` have texture in the asset. `over_half`, `over_seven_tenths`, `median`, `mean` are
    over the rich ones; `whole` correlates all pixels at once, `means` the cells' mean greys. `natural`: how
    photograph-like (many greys, no flat ground) the asset's cells are; `natural_over_half`: how much of that
    correlates. `hole`: share of the rich cells in the largest connected part that does not correlate.
    """

    cells: int
    rich: int
    over_half: float
    over_seven_tenths: float
    median: float
    mean: float
    whole: float
    means: float
    natural: float
    natural_over_half: float
    hole: float


class Pyramid:
    """A grey picture at full and at halved sizes; `width` and `height` are those of the picture it stands for."""

    def __init__(self, grey: NDArray[np.uint8], width: int, height: int) -> None:
        self.width, self.height = width, height
        self._levels = [grey]
        while max(self._levels[-1].shape) > 64:
            self._levels.append(np.asarray(cv2.pyrDown(self._levels[-1]), dtype=np.uint8))

    def sample(self, to_picture: NDArray[np.float64], size: tuple[int, int]) -> tuple[Floats, NDArray[np.bool_]]:
        """float32 grey and bool mask [h, w] of `size` (w, h); `to_picture` (3x3) maps output to picture pixels."""
        step = np.sqrt(abs(np.linalg.det(to_picture[:2, :2]))) * self._levels[0].shape[1] / self.width
        number = int(np.clip(np.floor(np.log2(max(float(step), 1e-6)) + 0.3), 0, len(self._levels) - 1))
        level = self._levels[number]
        zoom = np.diag([level.shape[1] / self.width, level.shape[0] / self.height, 1.0])
        half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
        matrix = (np.linalg.inv(half) @ zoom @ to_picture @ half)[:2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        grey = cv2.warpAffine(level, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        inside = cv2.warpAffine(np.full(level.shape, 255, np.uint8), matrix, size, flags=flags, borderValue=0)
        return grey.astype(np.float32), np.asarray(inside > 250)


def overlap_of(matrix: Matrix, asset_size: tuple[int, int], candidate_size: tuple[int, int]) -> Overlap | None:
    """Where asset and candidate (sizes as width, height) lie on each other; None when they hardly do."""
    width, height = asset_size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    linear, shift = matrix.reshape(2, 3)[:, :2], matrix.reshape(2, 3)[:, 2]
    laid = corners @ linear.T + shift
    across, down = candidate_size
    frame = np.array([[0, 0], [across, 0], [across, down], [0, down]], dtype=np.float32)
    if not np.isfinite(laid).all() or abs(np.linalg.det(linear)) < 1e-9:
        return None
    area, polygon = cv2.intersectConvexConvex(laid.astype(np.float32), frame)
    whole = abs(cv2.contourArea(laid.astype(np.float32)))
    if polygon is None or area <= 1 or whole <= 1:
        return None
    shared = polygon.reshape(-1, 2).astype(np.float64)
    back = (shared - shift) @ np.linalg.inv(linear).T
    left, top = np.maximum(back.min(axis=0), 0)
    right, bottom = np.minimum(back.max(axis=0), [width, height])
    if right - left < 4 or bottom - top < 4:
        return None
    low, high = shared.min(axis=0) / candidate_size, shared.max(axis=0) / candidate_size
    return Overlap(
        pixels=(float(left), float(top), float(right), float(bottom)),
        asset_box=(float(left / width), float(top / height), float(right / width), float(bottom / height)),
        candidate_box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        asset_coverage=float(min(1.0, area / whole)),
        candidate_coverage=float(min(1.0, area / (across * down))),
    )


def align(matrix: Matrix, overlap: Overlap, asset: Pyramid, candidate: Pyramid) -> Alignment | None:
    """Compare the overlap at SIDE pixels in the asset's frame; None when too little of it is visible."""
    left, top, right, bottom = overlap.pixels
    step = max(right - left, bottom - top) / SIDE
    size = (max(CELL, round((right - left) / step)), max(CELL, round((bottom - top) / step)))
    to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
    to_candidate = np.vstack([matrix.reshape(2, 3), [0.0, 0.0, 1.0]]) @ to_asset
    mine, _ = asset.sample(to_asset, size)
    theirs, visible = candidate.sample(to_candidate, size)
    if visible.sum() < CELL * CELL:
        return None
    return _correlate(mine, theirs, visible.astype(np.float32))


def _correlate(mine: Floats, theirs: Floats, visible: Floats) -> Alignment:
    seen = _cells(visible)
    known = seen > 0.7 * CELL * CELL
    count = np.maximum(seen, 1.0)
    mean_a, mean_b = _cells(mine * visible) / count, _cells(theirs * visible) / count
    variance_a = np.maximum(_cells(mine * mine * visible) / count - mean_a**2, 0)
    variance_b = np.maximum(_cells(theirs * theirs * visible) / count - mean_b**2, 0)
    covariance = _cells(mine * theirs * visible) / count - mean_a * mean_b
    correlation = covariance / np.sqrt((variance_a + _NOISE) * (variance_b + _NOISE))
    rich = known & (variance_a > _RICH_VARIANCE)
    values = correlation[rich]
    weight = np.where(rich, _naturalness(mine, rich.shape), 0.0)
    nothing = float("nan")
    return Alignment(
        cells=int(known.sum()),
        rich=len(values),
        over_half=float((values > 0.5).mean()) if len(values) else nothing,
        over_seven_tenths=float((values > 0.7).mean()) if len(values) else nothing,
        median=float(np.median(values)) if len(values) else nothing,
        mean=float(values.mean()) if len(values) else nothing,
        whole=_whole(mine, theirs, visible),
        means=_whole(mean_a[known], mean_b[known], np.ones(int(known.sum()))) if known.sum() >= 6 else nothing,
        natural=float(weight.sum() / max(1, int(known.sum()))),
        natural_over_half=float((weight * (correlation > 0.5)).sum() / weight.sum()) if weight.sum() > 0 else nothing,
        hole=_hole(rich & (correlation < 0.35), len(values)),
    )


def _cells(values: Floats) -> Floats:
    """Sums over CELL x CELL blocks; the remainder at right and bottom is left out."""
    rows, columns = values.shape[0] // CELL, values.shape[1] // CELL
    blocks = values[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    return np.asarray(blocks.sum(axis=(1, 3)))


def _whole(mine: Floats, theirs: Floats, weight: Floats) -> float:
    total = weight.sum()
    a = (mine - (mine * weight).sum() / total) * weight
    b = (theirs - (theirs * weight).sum() / total) * weight
    return float((a * b).sum() / np.sqrt(((a * a).sum() + total * _NOISE) * ((b * b).sum() + total * _NOISE)))


def _naturalness(mine: Floats, shape: tuple[int, int]) -> Floats:
    """High where a cell has many greys and no dominating one: photographs, not text on flat ground."""
    rows, columns = shape
    greys = (mine[: rows * CELL, : columns * CELL] / 16).astype(np.int64).clip(0, 15)
    blocks = greys.reshape(rows, CELL, columns, CELL).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    index = blocks + 16 * np.arange(rows * columns)[:, None]
    share = np.bincount(index.ravel(), minlength=16 * rows * columns).reshape(rows * columns, 16) / blocks.shape[1]
    entropy = -(share * np.log2(np.maximum(share, 1e-9))).sum(axis=1)
    return np.asarray((np.clip(entropy - 1.2, 0, 2) * (1 - share.max(axis=1))).reshape(shape))


def _hole(missing: NDArray[np.bool_], rich: int) -> float:
    _, _, statistics, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8), connectivity=4)
    return float(statistics[1:, 4].max() / max(1, rich)) if len(statistics) > 1 else 0.0
