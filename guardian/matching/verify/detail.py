"""A closer look at pairs of which much agrees: do they also agree in what is particular, or in a template alone?

Two forms of one design agree in ruling lines, labels and frame, and differ in what was filled in. At the grid of
alignment.py writing is a grey smear, and one filled-in line looks like another; here each cell is a few letters.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.verify.alignment import SIDE, Overlap
from guardian.matching.verify.bending import Bend
from guardian.matching.verify.cells import CELL, CellMap, compare_cells
from guardian.matching.verify.outlines import Outlines, outlines_of
from guardian.matching.verify.upright import upright_share

FINEST_SIDE = 384
"""Pixels of the longer side of what is looked at, where both pictures have as many."""

_TEXTURE, _MUCH_TEXTURE = 16.0, 96.0
_AGREES, _DIFFERS = 0.7, 0.6
_SOFTENED = 1.2
"""Deviation in pixels by which both are blurred: hair lines and letters fall between samples in one as in the other."""

_SOFTER = (2.0, 2.8, 4.0)
"""Deviations that the asset is blurred by where the candidate is less sharp than it, until both are about as sharp."""

_AS_SHARP = 0.7
"""Share of the energy of the asset's edges from which the two are equally sharp, and in how many cells at least."""
_CELLS_OF_EDGES = 6

_DRAWN_BELOW = 0.35
"""How photograph-like (0 to 2) a cell may be that counts as drawn: writing, ruling lines, flat shapes."""

_REPEATS_WITHIN = 48
"""Bits of 256: two descriptors of one picture that are closer show the same thing twice."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What a closer look at a part says, in cells of FINEST_SIDE or less.

    `side`: pixels of the longer side that was looked at. `agreeing`: cells with texture in which both show the same.

    Shares are of all cells with texture in either: `replaced`, both have texture and it differs; `lost`, only the asset
    has any; `added`, only the candidate has; `differing`, all three. `patch`: cells in the largest connected part of
    these.

    The asset's cells are drawn (writing, lines, flat shapes) or natural, like a photograph's. `drawn`: share that is
    drawn. `drawn_unlike`: share of the drawn ones that are replaced or lost. `natural_held`: share of the natural
    ones' weight that agrees. `natural`: that weight, and `natural_mean` its mean in all agreeing cells, 0 to 2.
    `kept`, `gone` and `bared`: see Outlines. `upright`: see upright.py, of the asset.
    """

    side: float
    agreeing: int
    replaced: float
    lost: float
    added: float
    differing: float
    patch: int
    drawn: float
    drawn_unlike: float
    natural: float
    natural_held: float
    natural_mean: float
    kept: float
    gone: float
    bared: float
    upright: float


def detail_of(
    part: Overlap,
    projection: NDArray[np.float64],
    asset: Pyramid,
    candidate: Pyramid,
    scale: float,
    bend: Bend | None = None,
) -> Detail | None:
    """Compare a part closely, as closely as both pictures allow; None where neither has any texture.

    `projection` (3x3) maps asset pixels to candidate pixels, `scale` times as large; `bend` is what it leaves.
    """
    left, top, right, bottom = part.pixels
    longer = max(right - left, bottom - top)
    # Enlarging what is small would compare blur with letters.
    available = longer * min(1.0, scale, asset.grey.shape[1] / asset.width)
    side = max(float(SIDE), min(float(FINEST_SIDE), available))

    step = longer / side
    size = (max(CELL, round((right - left) / step)), max(CELL, round((bottom - top) / step)))
    to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
    mine, _, _ = asset.sample(to_asset, size)
    theirs, to_level, level = candidate.sample(projection @ to_asset, size)
    if bend is not None:
        theirs = bend.straightened(theirs, to_asset)

    # Blur makes writing look natural, so that is judged before.
    weight = compare_cells(mine, theirs, to_level, level).weight
    softened, their_softened = _softened(mine), _softened(theirs)
    soft = compare_cells(softened, their_softened, to_level, level)
    as_soft = _as_soft(mine, softened, their_softened, soft)
    if as_soft is not None:
        softened = as_soft
        soft = compare_cells(softened, their_softened, to_level, level)
    return _summarised(soft, weight, side, outlines_of(softened, their_softened, soft, to_level, level), mine)


def _softened(grey: NDArray[np.float32], deviation: float = _SOFTENED) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), deviation), np.float32)


def _as_soft(
    mine: NDArray[np.float32], softened: NDArray[np.float32], theirs: NDArray[np.float32], cells: CellMap
) -> NDArray[np.float32] | None:
    """Return the asset's picture blurred until its edges are as soft as in `theirs`; None if `softened` already is.

    A blurred copy lacks what is fine; that is no sign that something else was shown there.
    """
    alike = cells.rich & (cells.correlation > _DIFFERS)
    if alike.sum() < _CELLS_OF_EDGES:
        return None
    wanted = _edges(theirs, alike) / cells.contrast**2

    def is_sharper(picture: NDArray[np.float32]) -> bool:
        return float(np.median(wanted / np.maximum(_edges(picture, alike), 1e-3))) < _AS_SHARP

    if not is_sharper(softened):
        return None
    for deviation in _SOFTER:
        softer = _softened(mine, deviation)
        if not is_sharper(softer):
            break
    return softer


def _edges(picture: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the energy of what is finest in the chosen cells, float32 [n]."""
    rows, columns = chosen.shape
    fine = cv2.Laplacian(picture[: rows * CELL, : columns * CELL], cv2.CV_32F) ** 2
    return np.asarray(cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)[chosen]


def _summarised(
    cells: CellMap, weight: NDArray[np.float32], side: float, outlines: Outlines, asset: NDArray[np.float32]
) -> Detail | None:
    """Summarise the cells of `asset`; `weight` is float32 [rows, columns], how photograph-like they are."""
    # What was faded keeps its texture, only weaker.
    their_texture = cells.their_variance > _TEXTURE * cells.contrast**2
    textured = cells.known & (cells.rich | their_texture)
    count = int(textured.sum())
    if not count:
        return None

    agreeing = cells.rich & (cells.correlation > _AGREES)
    unlike = cells.rich & (cells.correlation < _DIFFERS)
    replaced, lost = unlike & their_texture, unlike & ~their_texture
    added = cells.known & ~cells.rich & (cells.their_variance > _MUCH_TEXTURE)
    differing = unlike | added
    _, _, statistics, _ = cv2.connectedComponentsWithStats(differing.astype(np.uint8), connectivity=8)

    drawn = cells.rich & (weight < _DRAWN_BELOW)
    natural = np.where(cells.rich & ~drawn, weight, 0.0)
    held = float(natural[agreeing].sum())
    return Detail(
        side=side,
        agreeing=int(agreeing.sum()),
        replaced=float(replaced.sum()) / count,
        lost=float(lost.sum()) / count,
        added=float(added.sum()) / count,
        differing=float(differing.sum()) / count,
        patch=int(statistics[1:, 4].max()) if len(statistics) > 1 else 0,
        drawn=float(drawn.sum()) / max(1, int(cells.rich.sum())),
        drawn_unlike=float((drawn & unlike).sum()) / max(1, int(drawn.sum())),
        natural=held,
        natural_held=held / float(natural.sum()) if natural.any() else 0.0,
        natural_mean=float(weight[agreeing].mean()) if agreeing.any() else 0.0,
        kept=outlines.kept,
        gone=outlines.gone,
        bared=outlines.bared,
        upright=upright_share(asset),
    )


def particular(points: Keypoints, chosen: NDArray[np.int32]) -> int:
    """Count the chosen keypoints of a picture that show what it shows nowhere else.

    Ruling lines, staves, boards and lettering repeat: what agrees in them alone may be any picture of their kind.
    """
    return int(_particular(points.words, points.x, points.y, points.size, chosen))


@kernel
def _particular(words, x, y, size, chosen):  # type: ignore[no-untyped-def]
    count = 0
    for i in chosen:
        repeated = False
        for j in range(words.shape[0]):
            # The same point at another scale is no repeat.
            reach = 0.5 * max(size[i], size[j])
            if abs(x[i] - x[j]) < reach and abs(y[i] - y[j]) < reach:
                continue
            distance = 0
            for word in range(words.shape[1]):
                distance += int(count_bits(words[i, word] ^ words[j, word]))
            if distance <= _REPEATS_WITHIN:
                repeated = True
                break
        count += not repeated
    return count
