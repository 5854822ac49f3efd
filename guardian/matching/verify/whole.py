"""Tells whether two of the owner's pictures show the same whole picture: versions of one work.

Stricter than a match: all of both must agree, in the best of eight orientations, whatever their size, tone and colour.
Two forms of one template, a crop, or a picture with other words on it are not the same picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features import hashing
from guardian.matching.features.image import Picture
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.geometry import square
from guardian.matching.verify.alignment import Overlap, overlap_of
from guardian.matching.verify.cells import AGREES, CELL, CellMap, compare_cells

SIDE = 1024
"""Pixels of the longer side at which the two are compared, if both have as many."""

# How finely a frame that was trimmed by a hair is found again, in pixels of the longer side.
_REFINED_AT = 256
_TRIES = 60
# A thin line at the edge of a cell belongs to this cell or to the next: each cell may lie so many pixels aside.
_ASIDE = ((0.0, 0.0), (0.75, 0.0), (-0.75, 0.0), (0.0, 0.75), (0.0, -0.75))
# Greys squared: what has less texture in both is noise of the compression.
_TEXTURED = 64.0

_WHOLE_FROM = 0.95
_TEXTURED_CELLS = 12
# Up to here what is textured is type, lines and flat areas: there a small difference is all that tells two apart.
_DRAWN_BELOW = 0.35
_LEGIBLE_SIDE = 500
# A retouched spot or a signature, in a photograph.
_DIFFERING_AREA = 0.01
_DIFFERING_TEXTURE = 0.05


@dataclass(frozen=True, slots=True)
class WholeComparison:
    """Two whole pictures laid on each other.

    `asset_coverage` and `candidate_coverage`: the share of the one and of the other that both show. `cells` are all
    that were compared, `textured` those with something to see in either, `differing` those of them that do not agree.
    `natural`: how photograph-like the textured ones are. `side`: pixels of the longer side at which was compared.
    """

    asset_coverage: float
    candidate_coverage: float
    cells: int
    textured: int
    differing: int
    natural: float
    side: int

    @property
    def is_same(self) -> bool:
        """Whether both show the same picture, all of it.

        Of a drawing or a page of type nothing may differ, and it must be large enough to be read. Of a photograph
        small parts may.
        """
        if min(self.asset_coverage, self.candidate_coverage) < _WHOLE_FROM or self.textured < _TEXTURED_CELLS:
            return False
        if self.natural < _DRAWN_BELOW:
            return self.side >= _LEGIBLE_SIDE and self.differing == 0
        return self.differing <= _DIFFERING_AREA * self.cells and self.differing <= _DIFFERING_TEXTURE * self.textured


def compare_whole(one: Picture, other: Picture) -> WholeComparison | None:
    """Compare all of two pictures; None when they cannot be laid on each other.

    Laid are frame on frame and, if that does not agree, as the pixels fit best: by the enhanced correlation
    coefficient (Evangelidis and Psarakis, 2008), which neither brightness nor contrast changes.
    """
    asset, candidate = (Pyramid(picture.grey, picture.width, picture.height) for picture in (one, other))
    turned, upright = hashing.hash_orientations(other.grey), hashing.hash_upright(one.grey)[None]
    orientation = int(hashing.nearest_orientation(turned, upright)[1][0])
    box = (0.0, 0.0, float(other.width), float(other.height))
    frames = square(hashing.orientation_transform(orientation, one.width, one.height, box))

    found = _compared(asset, candidate, frames)
    if found is not None and found.is_same:
        return found

    refined = _refined(asset, candidate, frames)
    again = _compared(asset, candidate, refined) if refined is not None else None
    return again if again is not None and (found is None or again.is_same) else found


def _compared(asset: Pyramid, candidate: Pyramid, projection: NDArray[np.float64]) -> WholeComparison | None:
    """Compare under one transform, float64 [3, 3] from asset pixels to candidate pixels."""
    overlap = overlap_of(projection[:2].ravel(), (asset.width, asset.height), (candidate.width, candidate.height))
    if overlap is None:
        return None

    side = min(SIDE, max(asset.grey.shape), max(candidate.grey.shape))
    to_asset, size = _frame(asset, side)
    mine, _, _ = asset.sample(to_asset, size)
    theirs = candidate.sample(projection @ to_asset, size)[0]
    maps = []
    for across, down in _ASIDE:
        aside = np.array([[1.0, 0.0, across], [0.0, 1.0, down], [0.0, 0.0, 1.0]])
        maps.append(compare_cells(mine, *candidate.sample(projection @ to_asset @ aside, size)))
    return _summarised(maps, np.maximum(_variances(mine), _variances(theirs)), overlap, side)


def _summarised(maps: list[CellMap], variances: NDArray[np.float32], overlap: Overlap, side: int) -> WholeComparison:
    """Return what the cells say: each agrees as well as it does in the best of its places."""
    known = maps[0].known
    correlation = np.max([cells.correlation for cells in maps], axis=0)
    textured = known & (variances > _TEXTURED)
    return WholeComparison(
        asset_coverage=overlap.asset_coverage,
        candidate_coverage=overlap.candidate_coverage,
        cells=int(known.sum()),
        textured=int(textured.sum()),
        differing=int((textured & (correlation <= AGREES)).sum()),
        natural=float(maps[0].weight[textured].mean()) if textured.any() else 0.0,
        side=side,
    )


def _frame(asset: Pyramid, side: int) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Return the matrix (3x3) from pixels of a comparison to asset pixels, and the comparison's width and height."""
    step = max(asset.width, asset.height) / side
    size = (max(CELL, round(asset.width / step)), max(CELL, round(asset.height / step)))
    return np.diag([asset.width / size[0], asset.height / size[1], 1.0]), size


def _refined(asset: Pyramid, candidate: Pyramid, start: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the affine transform (3x3) near `start` under which the pixels agree best; None when none is found."""
    to_asset, size = _frame(asset, min(_REFINED_AT, max(asset.grey.shape), max(candidate.grey.shape)))
    mine = asset.sample(to_asset, size)[0]
    theirs = candidate.sample(start @ to_asset, size)[0]
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _TRIES, 1e-5)
    try:
        in_place = np.eye(2, 3, dtype=np.float32)
        _, moved = cv2.findTransformECC(mine / 255, theirs / 255, in_place, cv2.MOTION_AFFINE, criteria)
    except cv2.error:
        # It does not converge: the two have nothing in common.
        return None
    return np.asarray(start @ to_asset @ np.vstack([np.asarray(moved), [0, 0, 1]]) @ np.linalg.inv(to_asset))


def _variances(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the variance of each cell of a picture [h, w], float32 [rows, columns]."""
    rows, columns = grey.shape[0] // CELL, grey.shape[1] // CELL
    cells = grey[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    return np.asarray(cells.var(axis=(1, 3)), dtype=np.float32)
