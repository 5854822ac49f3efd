"""Lay the asset over the candidate by the recovered transform and compare the pixels, cell by cell.

This tells a copy from pictures that only share a caption, a watermark, a frame or a texture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.pyramid import Pyramid
from guardian.matching.geometry import Matrix, square
from guardian.matching.profiles import elongation
from guardian.matching.verify.bending import Bend
from guardian.matching.verify.cells import CELL, CellMap, compare_cells, hole_of, missing
from guardian.matching.verify.core_rectangle import Core
from guardian.model import Box

SIDE = 128
"""Pixels of the longer side of the overlap at which the two are compared; more for long strips."""

SAMPLED_SIDE = 256
"""Pixels of the longer side at which a descriptor is shown what both have."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two pictures share under a transform: `pixels` is the box in asset pixels, boxes are fractions."""

    pixels: tuple[float, float, float, float]
    asset_box: Box
    candidate_box: Box
    asset_coverage: float
    candidate_coverage: float

    @property
    def step(self) -> float:
        """Asset pixels to one pixel of the comparison."""
        left, top, right, bottom = self.pixels
        across, down = right - left, bottom - top
        return max(across, down) / (SIDE * elongation(round(across), round(down)))


@dataclass(frozen=True, slots=True)
class Alignment:
    """Local correlations (-1 to 1) of the overlap's cells. NaN where there was nothing to measure.

    `rich` cells of `known` have texture in the asset. `over_half`, `over_seven_tenths`, `median`, `mean` are
    over the rich ones; `whole` correlates all pixels at once, `means` the cells' mean greys. `natural`: how
    photograph-like (many greys, no flat ground) the asset's cells are; `natural_over_half`: how much of that
    correlates. `hole`: share of the rich cells in the largest connected part that does not correlate.
    """

    cells: CellMap
    core: Core | None
    known: int
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


def overlap_of(
    matrix: Matrix,
    asset_size: tuple[int, int],
    candidate_size: tuple[int, int],
    part: tuple[float, float, float, float] | None = None,
) -> Overlap | None:
    """Return where asset and candidate (sizes as width, height) lie on each other; None when they hardly do.

    `part`: only this box (left, top, right, bottom in asset pixels) of the asset counts; coverage stays that of the
    whole asset.
    """
    width, height = asset_size
    left, top, right, bottom = part or (0.0, 0.0, float(width), float(height))

    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    counted = (right - left) * (bottom - top) / (width * height)
    forward = square(matrix)
    if not np.isfinite(forward).all() or abs(_determinant(forward)) < 1e-9:
        return None

    laid = _moved(corners, forward)
    across, down = candidate_size
    frame = np.array([[0, 0], [across, 0], [across, down], [0, down]], dtype=np.float32)
    if laid is None or not np.isfinite(laid).all():
        return None

    area, polygon = cv2.intersectConvexConvex(laid.astype(np.float32), frame)
    whole = abs(cv2.contourArea(laid.astype(np.float32)))
    if polygon is None or area <= 1 or whole <= 1:
        return None

    # The shared polygon seen from the asset: its box is what is compared.
    shared = np.asarray(polygon.reshape(-1, 2), dtype=np.float64)
    back = _moved(shared, np.asarray(np.linalg.inv(forward)))
    if back is None:
        return None
    (least_x, least_y), (most_x, most_y) = back.min(axis=0).tolist(), back.max(axis=0).tolist()
    left, top, right, bottom = max(least_x, left), max(least_y, top), min(most_x, right), min(most_y, bottom)
    if right - left < 4 or bottom - top < 4:
        return None

    (low_x, low_y), (high_x, high_y) = shared.min(axis=0).tolist(), shared.max(axis=0).tolist()

    return Overlap(
        pixels=(left, top, right, bottom),
        asset_box=(left / width, top / height, right / width, bottom / height),
        candidate_box=(low_x / across, low_y / down, high_x / across, high_y / down),
        asset_coverage=float(min(1.0, area / whole) * counted),
        candidate_coverage=float(min(1.0, area / (across * down))),
    )


def _moved(points: NDArray[np.floating], matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Move points, float64 [n, 2], through a 3x3 matrix; None when one lies behind or beyond the horizon."""
    homogeneous = np.ones((len(points), 3))
    homogeneous[:, :2] = points
    moved = homogeneous @ matrix.T
    if matrix[2].tolist() == [0.0, 0.0, 1.0]:
        return np.asarray(moved[:, :2])
    depth = moved[:, 2:]
    if depth.min() <= 1e-9 < depth.max() or abs(depth).min() < 1e-9:
        return None
    return np.asarray(moved[:, :2] / depth)


def _determinant(matrix: NDArray[np.float64]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    return float(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def align(
    matrix: Matrix, overlap: Overlap, asset: Pyramid, candidate: Pyramid, bend: Bend | None = None
) -> CellMap | None:
    """Compare the overlap at SIDE pixels in the asset's frame; None when too little of it is visible.

    Cells go row by row from the overlap's upper left corner, each CELL x `overlap.step` asset pixels wide.
    """
    left, top, right, bottom = overlap.pixels
    step = overlap.step
    size = (max(CELL, round((right - left) / step)), max(CELL, round((bottom - top) / step)))
    to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
    mine, _, _ = asset.read(to_asset, size)
    theirs, to_level, level = candidate.read(square(matrix) @ to_asset, size)
    if bend is None:
        cells = compare_cells(mine, theirs, to_level, level)
    else:
        straight = bend.straightened(theirs.astype(np.float32), to_asset)
        cells = compare_cells(mine.astype(np.float32), straight, to_level, level)
    return cells if cells.known.any() else None


def sampled_alike(
    shown: Overlap, projection: NDArray[np.float64], asset: Pyramid, candidate: Pyramid
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what both pictures show as grey pictures of one size: uint8 [h, w], the asset's and the candidate's.

    `projection` (3x3) maps asset pixels to candidate pixels; the longer side has SAMPLED_SIDE pixels.
    """
    left, top, right, bottom = shown.pixels
    step = max(right - left, bottom - top) / SAMPLED_SIDE
    size = (max(1, round((right - left) / step)), max(1, round((bottom - top) / step)))
    to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
    mine, theirs = asset.sample(to_asset, size)[0], candidate.sample(projection @ to_asset, size)[0]
    return mine.astype(np.uint8), theirs.astype(np.uint8)


def summarised(cells: CellMap, core: Core | None) -> Alignment:
    """Summarise the cells of an overlap in numbers."""
    known = int(cells.known.sum())
    correlation = cells.correlation[cells.rich]
    weight = float(cells.weight.sum())

    nothing = float("nan")
    return Alignment(
        cells=cells,
        core=core,
        known=known,
        rich=len(correlation),
        over_half=float((correlation > 0.5).mean()) if len(correlation) else nothing,
        over_seven_tenths=float((correlation > 0.7).mean()) if len(correlation) else nothing,
        median=float(np.median(correlation)) if len(correlation) else nothing,
        mean=cells.mean,
        whole=cells.whole,
        means=_correlated(*cells.means[:, cells.known]) if known >= 6 else nothing,
        natural=weight / max(1, known),
        natural_over_half=float(cells.weight[cells.agreeing].sum()) / weight if weight > 0 else nothing,
        hole=hole_of(missing(cells), len(correlation)),
    )


def _correlated(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Correlate two rows of mean greys, with the noise that keeps even ones from correlating."""
    a, b = a - a.mean(), b - b.mean()
    noise = 4.0 * len(a)
    return float((a * b).sum() / np.sqrt(((a * a).sum() + noise) * ((b * b).sum() + noise)))
