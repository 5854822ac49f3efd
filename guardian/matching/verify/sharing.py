"""Tells what of a match is one asset's alone from what several assets share: frames, captions, watermarks, stickers.

A candidate that shows a social network's page agrees with every protected picture of such a page. What agrees with
two assets at the same place of the candidate speaks for neither, if the candidate shows something else where these
differ. A picture that is protected twice, once with a caption, keeps its evidence: a copy agrees with one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.index.reader import PreviewedAsset
from guardian.matching.verify.alignment import align, overlap_of
from guardian.matching.verify.cells import CELL
from guardian.matching.verify.measuring import Measurement

_MOST_OTHERS = 6
_STRONG = 2.0
_DIFFERS_BELOW = 0.2
_HOLDS_FROM = 0.9

MeasuredAsset = tuple[PreviewedAsset, Measurement]


@dataclass(frozen=True, slots=True)
class ExclusiveEvidence:
    """Of the core's agreeing cells, those that agree with no other asset: how many, and their weight."""

    cells: int
    natural: float


def exclusive_evidence(pairs: Sequence[MeasuredAsset]) -> list[ExclusiveEvidence]:
    """Return for each measured asset of one candidate, in their order, what of its agreement is its alone.

    Only assets of which enough agrees share anything, each with at most six of the others, the strongest first.
    """
    strong = [index for index, (_, measurement) in enumerate(pairs) if is_strong(measurement)]
    strong.sort(key=lambda index: -_strength(pairs[index][1]))

    evidence = []
    for index, pair in enumerate(pairs):
        # Frames of one asset share what they show, and none of it is another's.
        others = [pairs[other] for other in strong if pairs[other][0].number != pair[0].number]
        if index not in strong:
            others = []
        evidence.append(_exclusive(pair, others[:_MOST_OTHERS]))
    return evidence


def _exclusive(pair: MeasuredAsset, others: Sequence[MeasuredAsset]) -> ExclusiveEvidence:
    """Return what is left of the agreeing cells in the pair's core when the others have taken what they share."""
    _, measurement = pair
    core, cells = measurement.alignment.core, measurement.alignment.cells
    if core is None:
        return ExclusiveEvidence(0, 0.0)

    own = np.zeros_like(cells.agreeing)
    own[core.top : core.bottom, core.left : core.right] = True
    own &= cells.agreeing
    for other in others:
        shared = own & _agrees_too(measurement, other[1])
        if shared.any() and not _holds_where_they_differ(pair, other):
            own &= ~shared
    return ExclusiveEvidence(int(own.sum()), float(cells.weight[own].sum()))


def is_strong(measurement: Measurement) -> bool:
    """Return whether enough agrees for other assets to be concerned."""
    return _strength(measurement) >= _STRONG


def _strength(measurement: Measurement) -> float:
    core = measurement.alignment.core
    return core.strength if core is not None else 0.0


def _agrees_too(measurement: Measurement, other: Measurement) -> NDArray[np.bool_]:
    """Return the cells whose place in the candidate agrees with the other asset too: bool [rows, columns]."""
    shape = measurement.alignment.cells.agreeing.shape
    side, (left, top, _, _) = measurement.overlap.step * CELL, measurement.overlap.pixels
    x, y = np.meshgrid(left + (np.arange(shape[1]) + 0.5) * side, top + (np.arange(shape[0]) + 0.5) * side)
    centres = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])

    # From this asset's pixels to the candidate, and from there to the other asset's.
    there = np.linalg.inv(other.projection) @ measurement.projection @ centres
    # What lies behind the horizon of a homography is nowhere.
    depth = np.where(there[2] > 0, there[2], np.nan)
    row, column, inside = _cells_at(other, there[0] / depth, there[1] / depth)
    found = np.zeros(x.size, dtype=bool)
    found[inside] = other.alignment.cells.agreeing[row, column]
    return found.reshape(shape)


def _holds_where_they_differ(one: MeasuredAsset, other: MeasuredAsset) -> bool:
    """Return whether the candidate agrees with the first asset at nearly all places where the two assets differ.

    Each is laid on the candidate, so they can be laid on each other. Also when they differ nowhere that is seen.
    """
    (mine, measured), (theirs, measured_too) = one, other
    to_other = np.linalg.inv(measured_too.projection) @ measured.projection
    seen = measured.alignment.cells

    x, y = _differing(mine, theirs, to_other)
    row, column, _ = _cells_at(measured, x, y)
    rich = seen.rich[row, column]
    holds = [seen.agreeing[row, column][rich]]

    # Where only the other asset has texture, the candidate holds with this one by having none either.
    from_other = np.linalg.inv(to_other)
    x, y = _differing(theirs, mine, from_other)
    back = from_other @ np.stack([x, y, np.ones(len(x))])
    row, column, _ = _cells_at(measured, back[0] / back[2], back[1] / back[2])
    plain = seen.known[row, column] & ~seen.rich[row, column]
    holds.append(~seen.foreign[row, column][plain])

    return all(not len(those) or float(those.mean()) >= _HOLDS_FROM for those in holds)


def _differing(
    asset: PreviewedAsset, other: PreviewedAsset, to_other: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Find points (x and y in asset pixels, [n]) where the asset has texture and the other shows something else."""
    matrix = np.asarray(to_other / to_other[2, 2]).ravel()
    overlap = overlap_of(matrix, (asset.width, asset.height), (other.width, other.height))
    cells = align(matrix, overlap, asset.preview, other.preview) if overlap is not None else None
    if overlap is None or cells is None:
        return np.zeros(0), np.zeros(0)
    rows, columns = np.nonzero(cells.rich & (cells.correlation < _DIFFERS_BELOW))
    side, (left, top, _, _) = overlap.step * CELL, overlap.pixels
    return left + (columns + 0.5) * side, top + (rows + 0.5) * side


def _cells_at(
    measurement: Measurement, x: NDArray[np.floating], y: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return row and column of the cells that hold points (asset pixels, [n]).

    Only for those inside; the third array, bool [n], says which these are.
    """
    rows, columns = measurement.alignment.cells.rich.shape
    side, (left, top, _, _) = measurement.overlap.step * CELL, measurement.overlap.pixels
    row, column = np.floor((y - top) / side), np.floor((x - left) / side)
    inside = (row >= 0) & (column >= 0) & (row < rows) & (column < columns)
    return row[inside].astype(np.int64), column[inside].astype(np.int64), inside
