"""Tries every proposed transform of a pair, and finds the one that pixels and keypoints support best.

Each is refined by keypoints, laid more exactly by the pixels, and bent where that is worth it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guardian.matching.candidate import Candidate
from guardian.matching.features.keypoints import Keypoints, side_of
from guardian.matching.geometry import Matrix, Proposal, homography_of, similarity_of, square
from guardian.matching.guided_matching import Agreement
from guardian.matching.index.reader import IndexedAsset
from guardian.matching.verify.alignment import Overlap, align, overlap_of
from guardian.matching.verify.bending import Bend, bend_of
from guardian.matching.verify.cells import CELL, CellMap
from guardian.matching.verify.core_rectangle import CoreBox, core_box_of, extent_of
from guardian.matching.verify.registration import registered

CLOSE_BITS = 40
"""Descriptors of 256 bits that differ in no more than these are hardly ever alike by chance."""

WORTH_A_CLOSER_LOOK = 2.0
"""Strength of the core: below it hardly anything is claimed, so nothing need be told apart. One of eight distractors
and 99 of 100 copies reach it."""

# With fewer inliers the refined transform may be an accident, so the proposal itself is tried as well.
_ENOUGH_INLIERS = 8
# A homography has eight unknowns: with few points it bends to fit any.
_INLIERS_OF_HOMOGRAPHY = 16
# With so many times as many inliers a transform need only be about as well supported by the pixels.
_FAR_MORE, _ABOUT_AS_GOOD = 2, 0.1

# What follows are mean correlations of the textured cells, and differences of such.
# The pixels of distractors hardly agree at all; only above this is another transform worth its time.
_PROMISING_MEAN = 0.1
# Pixels that agree so well, in a core of that share of the cells, need no other transform.
_GOOD_MEAN, _GOOD_SHARE = 0.85, 0.95
# Nor can they be registered more exactly.
_EXACT_MEAN = 0.97
# Cells are coarser than what registration looks at, so under a better transform they may say a little less.
_COARSE = 0.02
# Where they agree less than that, one of them may be bent; it is, if straightening it makes so much of a difference.
_STRAIGHT_MEAN, _BENT_GAIN, _INLIERS_OF_BEND = 0.9, 0.05, 16

# Of the visible cells: below this share the part that agrees is named instead of the whole overlap.
_SHOWN_BELOW = 0.8


@dataclass(frozen=True, slots=True)
class Trial:
    """One transform laid on the candidate. `agreement` is None when no keypoints were asked.

    `mean`: that of the cells. `support`: how well pixels and keypoints agree; ranks transforms of one pair, says
    nothing across pairs.
    """

    matrix: Matrix
    proposal: Proposal
    agreement: Agreement | None
    overlap: Overlap
    cells: CellMap
    core: CoreBox | None
    mean: float
    support: float
    bend: Bend | None = None

    @property
    def inliers(self) -> int:
        """How many keypoints agree with the transform."""
        return len(self.agreement.asset) if self.agreement is not None else 0

    @property
    def is_promising(self) -> bool:
        """Whether another transform may make a copy of it: the pixels agree somewhere."""
        return self.mean >= _PROMISING_MEAN

    @property
    def is_good(self) -> bool:
        """Whether the pixels agree so well that no other transform need be tried."""
        return self.mean >= _GOOD_MEAN and self.core is not None and self.core.share >= _GOOD_SHARE


def _support_of(cells: CellMap, mean: float, core: CoreBox | None, agreement: Agreement | None) -> float:
    """Return how well pixels and keypoints agree: a number that ranks the trials of one pair."""
    rich = int(np.count_nonzero(cells.rich))
    inliers = 0 if agreement is None else len(agreement.asset)

    # A mean over few cells is hardly one: it counts in full from a dozen.
    pixels = mean * min(1.0, rich / 12) if rich else 0.0
    strength = 0.5 * min(1.0, core.strength / 20) if core is not None else 0.0
    return pixels + 0.3 * cells.whole + strength + 0.1 * min(1.0, inliers / 40)


def best_trial(
    asset: IndexedAsset, candidate: Candidate, proposals: Sequence[Proposal], *, exact: bool = True
) -> Trial | None:
    """Return the best-supported trial over all proposals; None when none puts the two on each other.

    Without `exact`, the first transform under which the pixels agree well on the whole is as good as any.
    """
    trials = list[Trial]()
    for trial in (trial for proposal in proposals for trial in _trials(asset, candidate, proposal)):
        if trial.mean >= _GOOD_MEAN and not exact:
            return trial
        trials.append(trial)

    if not trials:
        return None
    best = _best(asset, candidate, trials)
    return _straightened(asset, candidate, best) or best


def _best(asset: IndexedAsset, candidate: Candidate, trials: list[Trial]) -> Trial:
    """Return the best-supported trial, laid exactly; or one that far more keypoints agree with, and pixels as well.

    Of what repeats (tiles, sprites, rows of windows) a part lies on another one as exactly as all of it on itself, or
    more so by chance.
    """
    best = max(trials, key=lambda trial: trial.support)
    rival = max(trials, key=lambda trial: (trial.inliers, trial.support))

    exact = _registered(asset, candidate, best) or best
    if not rival.is_promising or rival.inliers < max(_ENOUGH_INLIERS, _FAR_MORE * best.inliers):
        return exact
    rival = _registered(asset, candidate, rival) or rival
    return rival if rival.support >= exact.support - _ABOUT_AS_GOOD else exact


def _registered(asset: IndexedAsset, candidate: Candidate, trial: Trial) -> Trial | None:
    """Return the trial laid more exactly by the pixels, where enough agrees and not yet nearly all.

    None otherwise, and where pixels and keypoints agree clearly less for it.
    """
    if trial.core is None or trial.core.strength < WORTH_A_CLOSER_LOOK or trial.mean >= _EXACT_MEAN:
        return None
    proposal, agreement = trial.proposal, trial.agreement
    pixels = candidate.pixels(inverted=proposal.inverted)
    matrix = registered(trial.matrix, shown_part(trial, asset, candidate), asset.preview, pixels)
    if matrix is None:
        return None

    if agreement is None or len(agreement.asset) < _ENOUGH_INLIERS:
        # What was proposed was too far off for keypoints to be found where they should be.
        again = _refined(asset, candidate, replace(proposal, matrix=affine_at(matrix, trial.overlap)))
        if again is not None and (agreement is None or len(again.asset) > len(agreement.asset)):
            agreement = again
    moved = _laid(asset, candidate, proposal, matrix, agreement)
    return moved if moved is not None and moved.support >= trial.support - _COARSE else None


def _straightened(asset: IndexedAsset, candidate: Candidate, trial: Trial) -> Trial | None:
    """Return the trial with the bend that one transform leaves, where pixels agree clearly better then; else None."""
    if trial.core is None or trial.core.strength < WORTH_A_CLOSER_LOOK or trial.mean >= _STRAIGHT_MEAN:
        return None
    # A few outlines can be bent onto many others.
    if trial.agreement is None or len(trial.agreement.asset) < _INLIERS_OF_BEND:
        return None
    pixels = candidate.pixels(inverted=trial.proposal.inverted)
    bend = bend_of(trial.matrix, trial.overlap.pixels, asset.preview, pixels)
    if bend is None:
        return None
    cells = align(trial.matrix, trial.overlap, asset.preview, pixels, bend)
    if cells is None or not cells.mean >= trial.mean + _BENT_GAIN:
        return None
    core = core_box_of(cells)
    # Of a picture half of which is something else, that half must not bend the other.
    return replace(trial, cells=cells, core=core, bend=bend) if core and core.strength >= trial.core.strength else None


def _trials(asset: IndexedAsset, candidate: Candidate, proposal: Proposal) -> Iterator[Trial]:
    """Refine a proposal by keypoints; where these are few, the pixels also judge the proposal as it came."""
    agreement = _refined(asset, candidate, proposal)

    if agreement is not None:
        matrix = proposal.flipped(agreement.matrix, candidate.width)
        refined = _laid(asset, candidate, proposal, matrix, agreement)
        if refined is not None:
            yield refined

            if refined.is_promising and not refined.is_good:
                for other in _other_transforms(asset, candidate, proposal, agreement):
                    tried = _laid(asset, candidate, proposal, other, agreement)
                    if tried is not None:
                        yield tried

    if agreement is None or len(agreement.asset) < _ENOUGH_INLIERS:
        raw = _laid(asset, candidate, proposal, proposal.matrix, None)
        if raw is not None:
            yield raw


def _refined(asset: IndexedAsset, candidate: Candidate, proposal: Proposal) -> Agreement | None:
    """Return the transform that most keypoints near the proposal agree with, in the frame of the proposal's side."""
    if not len(_side(candidate, proposal)):
        return None
    start = proposal.flipped(proposal.matrix, candidate.width)
    grid = candidate.grid(mirrored=proposal.mirrored, inverted=proposal.inverted)
    return grid.refine(start, asset.points, asset.words)


def _side(candidate: Candidate, proposal: Proposal) -> Keypoints:
    """Return the keypoints of the side of the candidate that the proposal speaks of."""
    return candidate.sides[side_of(mirrored=proposal.mirrored, inverted=proposal.inverted)]


def _other_transforms(
    asset: IndexedAsset, candidate: Candidate, proposal: Proposal, agreement: Agreement
) -> Iterator[Matrix]:
    """Yield what else the same keypoints may mean, for the pixels to choose from.

    A similarity: keypoints that sit close together stretch an affine at will. A homography: a picture seen from the
    side.
    """
    if (agreement.bits <= CLOSE_BITS).sum() < _ENOUGH_INLIERS:
        return
    side = _side(candidate, proposal)
    points = np.stack([asset.points.x, asset.points.y], axis=1)[agreement.asset]
    positions = np.stack([side.x, side.y], axis=1)[agreement.candidate]

    found = [similarity_of(points, positions)]
    if len(points) >= _INLIERS_OF_HOMOGRAPHY:
        found.append(homography_of(points, positions))
    for matrix in found:
        if matrix is not None:
            yield proposal.flipped(matrix, candidate.width)


def _laid(
    asset: IndexedAsset, candidate: Candidate, proposal: Proposal, matrix: Matrix, agreement: Agreement | None
) -> Trial | None:
    """Lay the asset on the candidate and compare the pixels; None when hardly anything of it is seen there."""
    overlap = overlap_of(matrix, (asset.width, asset.height), (candidate.width, candidate.height))
    if overlap is None:
        return None
    cells = align(matrix, overlap, asset.preview, candidate.pixels(inverted=proposal.inverted))
    if cells is None:
        return None
    core, mean = core_box_of(cells), cells.mean
    support = _support_of(cells, mean, core, agreement)
    return Trial(matrix, proposal, agreement, overlap, cells, core, mean, support)


def shown_part(trial: Trial, asset: IndexedAsset, candidate: Candidate) -> Overlap:
    """Return the overlap, or the part of it where the pixels agree when that is clearly smaller."""
    overlap, cells = trial.overlap, trial.cells
    if trial.core is None:
        return overlap

    first_row, first_column, last_row, last_column = extent_of(cells, trial.core)
    known = cells.known[first_row:last_row, first_column:last_column]
    if known.sum() > _SHOWN_BELOW * cells.known.sum():
        return overlap

    side, (left, top, _, _) = overlap.step * CELL, overlap.pixels
    box = (left + first_column * side, top + first_row * side, left + last_column * side, top + last_row * side)
    part = overlap_of(trial.matrix, (asset.width, asset.height), (candidate.width, candidate.height), box)
    return part or overlap


def affine_at(matrix: Matrix, shown: Overlap) -> Matrix:
    """Return the affine part, float64 [6]: that of a homography is taken at the middle of what it shows."""
    if len(matrix) == 6:
        return matrix
    full = square(matrix)
    left, top, right, bottom = shown.pixels
    middle = np.array([(left + right) / 2, (top + bottom) / 2, 1.0])
    across, down, depth = full @ middle
    centre = np.array([across, down]) / depth

    # The derivative of the homography there (quotient rule), and the shift that keeps the middle where it is.
    linear = (full[:2, :2] - np.outer(centre, full[2, :2])) / depth
    shift = centre - linear @ middle[:2]
    return np.array([*linear[0], shift[0], *linear[1], shift[1]])
