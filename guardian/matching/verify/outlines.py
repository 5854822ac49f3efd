"""What became of an asset's outlines in a candidate: kept, covered by something else, or gone.

Stickers, stripes and words that are laid over a copy cover outlines; they uncover none. In another page of the same
design outlines are missing, and the bare ground is seen that lay beside them: it was written on that ground anew.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.verify.cells import CELL, CellMap

_REACH = np.ones((5, 5), np.uint8)
"""Pixels about a pixel in which an outline is looked for: the two pictures may lie a pixel off each other."""

_AGREES, _AGREEING_CELLS = 0.7, 4
_BIN, _PIXELS_OF_BIN = 8, 20
"""Grey levels that are counted as one, and pixels from which it is known what has become of them."""

_STEP, _LEAST_STEP = 24.0, 8.0
"""Grey levels by which the two sides of an outline differ: of the asset, and at least of a candidate that was faded."""

_EVEN = 0.3
"""Share of that difference below which the candidate is even there."""

_SAME, _LEAST_SAME, _OF_SPREAD = 0.05, 6.0, 1.0
"""A grey within this share of the difference, so many levels at least, and so many times their spread is one side's."""

_UNCERTAIN = 0.01
"""Share of the outlines that is missing by chance, where edges are uneven."""

_LEAST_OUTLINED = 0.05
"""Share of the pixels that lie beside outlines; of skies and blur fewer do, and what becomes of these says nothing."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Of the pixels beside an asset's outlines: the share that is `kept`, and that is `gone`.

    Kept: the candidate goes from one side's grey to the other's there, too. Gone: it is even, in the grey of one of the
    two sides. `bared`: gone as a share of all that is not kept; the rest is covered.
    """

    kept: float
    gone: float
    bared: float


NONE_KNOWN = Outlines(kept=0.0, gone=0.0, bared=1.0)
"""Where too little agrees to say which grey of one is which of the other, or where hardly anything is outlined."""


def outlines_of(
    mine: NDArray[np.float32],
    theirs: NDArray[np.float32],
    cells: CellMap,
    to_frame: NDArray[np.float64],
    frame: tuple[int, int],
) -> Outlines:
    """Return what became of the outlines of `mine`; both are grey, float32 [h, w], compared in `cells`.

    `theirs` is seen where `to_frame` (3x3) leads into `frame` (width, height).
    """
    agreeing = cells.rich & (cells.correlation > _AGREES)
    if agreeing.sum() < _AGREEING_CELLS:
        return NONE_KNOWN
    rows, columns = agreeing.shape
    size = (columns * CELL, rows * CELL)
    asset, found = (np.rint(grey[: size[1], : size[0]]).astype(np.uint8) for grey in (mine, theirs))
    inside = np.ones((frame[1], frame[0]), np.uint8)
    seen = cv2.warpPerspective(inside, to_frame, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)

    chosen = np.repeat(np.repeat(agreeing, CELL, axis=0), CELL, axis=1) & (seen > 0)
    levels = _levels(asset[chosen], found[chosen])
    if levels is None:
        return NONE_KNOWN
    expected, spread = (of_level[asset] for of_level in levels)

    step = max(_LEAST_STEP, _STEP * cells.contrast)
    around = (*_darkest_and_lightest(expected), *_darkest_and_lightest(found))
    # A pixel beside the candidate's edge has neighbours that are not seen.
    whole = cv2.erode(seen, _REACH, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    count, kept, gone = _count(found, spread, whole, around, step)
    if count <= _LEAST_OUTLINED * whole.sum():
        return NONE_KNOWN
    return Outlines(kept / count, gone / count, gone / (count - kept + _UNCERTAIN * count))


def _levels(asset: NDArray[np.uint8], found: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Return for each grey level of the asset the candidate's for it, and how far that spreads: uint8 [256] each.

    Of pixels, uint8 [n], that show the same, it is the median and half of what lies between the quartiles; levels that
    are not seen lie between those that are. None where fewer than two are.
    """
    bins = 256 // _BIN
    counts = np.bincount(asset.astype(np.int64) // _BIN * 256 + found, minlength=bins * 256).reshape(bins, 256)
    known = counts.sum(axis=1) >= _PIXELS_OF_BIN
    if known.sum() < 2:
        return None

    share = counts[known].cumsum(axis=1) / counts[known].sum(axis=1, keepdims=True)
    low, median, high = ((share >= part).argmax(axis=1) for part in (0.25, 0.5, 0.75))
    middles = np.nonzero(known)[0] * _BIN + (_BIN - 1) / 2
    levels = np.arange(256)
    expected, spread = np.interp(levels, middles, median), np.interp(levels, middles, (high - low) / 2)
    return np.rint(expected).astype(np.uint8), np.rint(spread).astype(np.uint8)


def _darkest_and_lightest(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.asarray(cv2.erode(grey, _REACH), np.uint8), np.asarray(cv2.dilate(grey, _REACH), np.uint8)


@kernel
def _count(found, spread, seen, around, step):  # type: ignore[no-untyped-def]
    """Count the pixels beside outlines, those that are kept and those that are gone."""
    low, high, their_low, their_high = around
    count, kept, gone = 0, 0, 0
    for y in range(found.shape[0]):
        for x in range(found.shape[1]):
            dark, light = np.float32(low[y, x]), np.float32(high[y, x])
            difference = light - dark
            if difference <= step or not seen[y, x]:
                continue
            count += 1
            least, most, grey = np.float32(their_low[y, x]), np.float32(their_high[y, x]), np.float32(found[y, x])
            if least < dark + 0.5 * difference < most:
                kept += 1
            elif most - least < _EVEN * difference:
                near = max(_LEAST_SAME, _SAME * difference) + _OF_SPREAD * spread[y, x]
                gone += abs(grey - dark) < near or abs(grey - light) < near
    return count, kept, gone
