"""The core: the rectangle of cells in which two pictures agree most, and how far what is shown reaches beyond it.

It is what a crop, a tile of a collage or a paste has left of an asset.
"""

from dataclasses import dataclass

import numpy as np

from guardian.matching.compiling import kernel
from guardian.matching.verify.cells import AGREES, CellMap, hole_of, missing

_CORE_FROM = 0.45
"""Correlation above which a cell speaks for the core, and below which against it."""

_UNSEEN_COSTS = 0.1
"""What a cell takes from the core's strength that is not seen in the candidate."""


@dataclass(frozen=True, slots=True)
class CoreBox:
    """Where the two agree most: rows `top` to `bottom` and columns `left` to `right` of cells, the last ones excluded.

    `strength`: sum of what its rich cells' correlations exceed _CORE_FROM by, less what it costs that cells are unseen.
    `share` of the known cells lie in it.
    """

    top: int
    left: int
    bottom: int
    right: int
    strength: float
    share: float


@dataclass(frozen=True, slots=True)
class Core:
    """All that is told of a core. `top` to `strength`, and `share`: see CoreBox.

    Of its `rich` cells: `mean` correlation, share of those that agree (`over_half`), and the largest connected part
    that does not, as a share of them (`hole`). `natural` is the weight of those that agree.
    """

    top: int
    left: int
    bottom: int
    right: int
    strength: float
    rich: int
    mean: float
    over_half: float
    natural: float
    share: float
    hole: float


def core_of(cells: CellMap) -> Core | None:
    """Return the rectangle whose cells together speak loudest for the asset; None when nothing does."""
    box = core_box_of(cells)
    return described_core(cells, box) if box is not None else None


def core_box_of(cells: CellMap) -> CoreBox | None:
    """Return where the core is, and how strong, without what else is told of it."""
    strength, top, left, bottom, right, known = _best_rectangle(cells.correlation, cells.rich, cells.known)
    if strength <= 0:
        return None
    share = known / max(1, int(np.count_nonzero(cells.known)))
    return CoreBox(top, left, bottom, right, strength, share)


def described_core(cells: CellMap, box: CoreBox) -> Core:
    """Return all that is told of a core."""
    top, left, bottom, right = box.top, box.left, box.bottom, box.right
    inside = (slice(top, bottom), slice(left, right))
    rich, correlation = cells.rich[inside], cells.correlation[inside]
    mine = correlation[rich]
    return Core(
        top=top,
        left=left,
        bottom=bottom,
        right=right,
        strength=box.strength,
        rich=len(mine),
        mean=float(mine.mean()),
        over_half=float((mine > AGREES).mean()),
        natural=float(cells.weight[inside][correlation > AGREES].sum()),
        share=box.share,
        hole=hole_of(missing(cells)[inside], len(mine)),
    )


def extent_of(cells: CellMap, core: Core | CoreBox) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right of the core, grown over what says nothing against it: even ground, sky, blur.

    A side stops where the cells beyond it disagree.
    """
    values = np.where(cells.rich, cells.correlation - _CORE_FROM, 0.0)
    (rows, columns), (top, left, bottom, right) = values.shape, (core.top, core.left, core.bottom, core.right)

    grown = True
    while grown:
        before = (top, left, bottom, right)
        top -= top > 0 and values[top - 1, left:right].sum() >= 0
        bottom += bottom < rows and values[bottom, left:right].sum() >= 0
        left -= left > 0 and values[top:bottom, left - 1].sum() >= 0
        right += right < columns and values[top:bottom, right].sum() >= 0
        grown = before != (top, left, bottom, right)
    return int(top), int(left), int(bottom), int(right)


@kernel
def _best_rectangle(correlation, rich, known):  # type: ignore[no-untyped-def]
    """Find the rectangle with the largest sum: Kadane's scan of the column sums for each pair of rows.

    Returns the sum, top, left, bottom, right, and how many cells in it are known.
    """
    rows, columns = correlation.shape
    values = np.empty((rows, columns))
    for row in range(rows):
        for column in range(columns):
            if rich[row, column]:
                values[row, column] = correlation[row, column] - np.float32(_CORE_FROM)
            else:
                values[row, column] = 0.0 if known[row, column] else -_UNSEEN_COSTS

    best, top, left, bottom, right = 0.0, 0, 0, 0, 0
    sums = np.zeros(columns)

    for first in range(rows):
        sums[:] = 0.0
        for last in range(first, rows):
            running, start = 0.0, 0
            for column in range(columns):
                sums[column] += values[last, column]
                if running <= 0.0:
                    running, start = 0.0, column
                running += sums[column]
                if running > best:
                    best, top, left, bottom, right = running, first, start, last + 1, column + 1

    count = 0
    for row in range(top, bottom):
        for column in range(left, right):
            count += known[row, column]
    return best, top, left, bottom, right, count
