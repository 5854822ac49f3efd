"""What of a match is the asset's own, and what several assets share: frames, captions, watermarks, stickers.

A candidate that shows a social network's page agrees with every protected picture of such a page. What
agrees with two assets at the same place of the candidate, while these two are not one picture, speaks for neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.alignment import align, overlap_of
from guardian.matching.cells import CELL
from guardian.matching.index import IndexedAsset
from guardian.matching.measuring import Measurement

_MOST_OTHERS = 6
_STRONG = 2.0
_DIFFERS_BELOW = 0.2


@dataclass(frozen=True, slots=True)
class Own:
    """Of the core's agreeing cells, those that agree with no other asset: how many, and their weight."""

    cells: int
    natural: float


def own_evidence(pairs: Sequence[tuple[IndexedAsset, Measurement]]) -> list[Own]:
    """For each measured asset of one candidate, in their order: what is its own of what agrees."""
    strong = [index for index, (_, measurement) in enumerate(pairs) if _strength(measurement) >= _STRONG]
    strong.sort(key=lambda index: -_strength(pairs[index][1]))
    evidence = []
    for index, (asset, measurement) in enumerate(pairs):
        core = measurement.alignment.core
        if core is None:
            evidence.append(Own(0, 0.0))
            continue
        cells = measurement.alignment.cells
        own = np.zeros_like(cells.agreeing)
        own[core.top : core.bottom, core.left : core.right] = True
        own &= cells.agreeing
        if index in strong:
            for other in [one for one in strong if one != index][:_MOST_OTHERS]:
                shared = own & _agrees_too(measurement, *pairs[other])
                if shared.any() and not _are_one_picture((asset, measurement), pairs[other]):
                    own &= ~shared
        evidence.append(Own(int(own.sum()), float(cells.weight[own].sum())))
    return evidence


def _strength(measurement: Measurement) -> float:
    core = measurement.alignment.core
    return core.strength if core is not None else 0.0


def _agrees_too(measurement: Measurement, asset: IndexedAsset, other: Measurement) -> NDArray[np.bool_]:
    """bool [rows, columns] of `measurement`: cells whose place in the candidate agrees with the other asset too."""
    agreeing = measurement.alignment.cells.agreeing
    rows, columns = agreeing.shape
    side, (left, top, _, _) = measurement.overlap.step * CELL, measurement.overlap.pixels
    x, y = np.meshgrid(left + (np.arange(columns) + 0.5) * side, top + (np.arange(rows) + 0.5) * side)
    there = np.linalg.inv(other.projection) @ measurement.projection @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    theirs = other.alignment.cells.agreeing
    their_side, (their_left, their_top, _, _) = other.overlap.step * CELL, other.overlap.pixels
    column = np.floor((there[0] / there[2] - their_left) / their_side).reshape(rows, columns)
    row = np.floor((there[1] / there[2] - their_top) / their_side).reshape(rows, columns)
    inside = (column >= 0) & (row >= 0) & (column < theirs.shape[1]) & (row < theirs.shape[0])
    found = np.zeros_like(agreeing)
    found[inside] = theirs[row[inside].astype(np.int64), column[inside].astype(np.int64)]
    return found


def _are_one_picture(one: tuple[IndexedAsset, Measurement], other: tuple[IndexedAsset, Measurement]) -> bool:
    """Whether two assets, each laid on the candidate, show the same wherever both show anything.

    Near-duplicates in a catalogue must not take each other's evidence away.
    """
    (mine, measured), (theirs, measured_too) = one, other
    matrix = (np.linalg.inv(measured_too.projection) @ measured.projection).ravel()
    overlap = overlap_of(matrix, (mine.width, mine.height), (theirs.width, theirs.height))
    if overlap is None:
        return False
    cells = align(matrix, overlap, mine.preview, theirs.preview)
    return cells is not None and not (cells.rich & (cells.correlation < _DIFFERS_BELOW)).any()
