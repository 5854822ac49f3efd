"""Stage two, for one asset: from proposed transforms to everything that can be measured about the pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.candidate import Candidate
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.geometry import Matrix, Proposal, square
from guardian.matching.guided_matching import Agreement
from guardian.matching.index.reader import IndexedAsset
from guardian.matching.verify.alignment import Alignment, Overlap, summarised
from guardian.matching.verify.core_rectangle import described_core
from guardian.matching.verify.detail import Detail, detail_of, particular
from guardian.matching.verify.transform_search import (
    CLOSE_BITS,
    WORTH_A_CLOSER_LOOK,
    Trial,
    affine_at,
    best_trial,
    shown_part,
)

_NO_BITS = 64.0
"""Stands for the mean distance of inliers where there are none: as far as guided matching accepts."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured under the best transform. `matrix` is its affine part, `projection` (3x3) all of it.

    `inverted`: of the candidate's negative. `overlap` is where the transform lays the two on each other, `shown` where
    they also agree: a crop in a collage ends where its tile does. `inlier_points`: int32 [inliers], which keypoints of
    the candidate's side (the mirror image's if `mirrored`) agree. `spread`: how many of 4 x 4 parts of the overlap hold
    inliers. `visible`: asset keypoints inside the overlap. `stretch`: ratio of the two scales. `particular`: inliers
    that show what the asset shows nowhere else. `detail`: a closer look at what is shown, `whole_detail` at all of the
    overlap; None where little agrees. Pickles; refers to no mapped file.
    """

    matrix: Matrix
    projection: NDArray[np.float64]
    mirrored: bool
    inverted: bool
    overlap: Overlap
    shown: Overlap
    alignment: Alignment
    inlier_points: NDArray[np.int32]
    close_inliers: int
    mean_bits: float
    spread: int
    visible: int
    scale: float
    stretch: float
    agreeing: int
    votes: int
    particular: int
    detail: Detail | None
    whole_detail: Detail | None

    @property
    def inliers(self) -> int:
        """How many keypoints agree with the transform."""
        return len(self.inlier_points)

    @property
    def hole(self) -> float:
        """Of what is shown: the largest connected part that does not agree, as a share of its textured cells."""
        core = self.alignment.core
        return self.alignment.hole if core is None or self.shown == self.overlap else core.hole

    @property
    def aligned_similarity(self) -> float:
        """Mean correlation of the textured cells of what is shown; NaN without any."""
        core = self.alignment.core
        return self.alignment.mean if core is None or self.shown == self.overlap else core.mean


def measure(
    asset: IndexedAsset, candidate: Candidate, proposals: Sequence[Proposal], *, exact: bool = True
) -> Measurement | None:
    """Return what is measured under the best of the proposed transforms; None when none puts the two on each other.

    Without `exact`, the first transform under which the pixels agree well on the whole is as good as any.
    """
    best = best_trial(asset, candidate, proposals, exact=exact)
    return _measured(asset, candidate, best) if best is not None else None


def _measured(asset: IndexedAsset, candidate: Candidate, trial: Trial) -> Measurement:
    """Return all that is told of the transform that won."""
    proposal, agreement, points = trial.proposal, trial.agreement, asset.points
    shown = shown_part(trial, asset, candidate)
    affine = affine_at(trial.matrix, shown)
    # Singular values: the longest and the shortest that a unit of the asset becomes in the candidate.
    scales = np.linalg.svd(affine.reshape(2, 3)[:, :2], compute_uv=False)

    scale = float(np.sqrt(scales[0] * scales[1]))
    detail = _detail(trial, shown, asset, candidate, scale)
    whole_detail = detail if shown == trial.overlap else _detail(trial, trial.overlap, asset, candidate, scale)

    left, top, right, bottom = trial.overlap.pixels
    visible = (points.x >= left) & (points.x <= right) & (points.y >= top) & (points.y <= bottom)
    bits = agreement.bits if agreement is not None else np.zeros(0)
    inlier_points = agreement.candidate if agreement is not None else np.zeros(0, np.int32)

    return Measurement(
        matrix=affine,
        projection=square(trial.matrix),
        mirrored=proposal.mirrored,
        inverted=proposal.inverted,
        overlap=trial.overlap,
        shown=shown,
        alignment=summarised(trial.cells, described_core(trial.cells, trial.core) if trial.core is not None else None),
        inlier_points=inlier_points,
        close_inliers=int((bits <= CLOSE_BITS).sum()),
        mean_bits=float(bits.mean()) if len(bits) else _NO_BITS,
        spread=_spread(points, trial.overlap, agreement),
        visible=int(visible.sum()),
        scale=scale,
        stretch=float(scales[0] / max(scales[1], 1e-9)),
        agreeing=proposal.agreeing,
        votes=proposal.votes,
        particular=particular(points, agreement.asset) if agreement is not None else 0,
        detail=detail,
        whole_detail=whole_detail,
    )


def _detail(trial: Trial, part: Overlap, asset: IndexedAsset, candidate: Candidate, scale: float) -> Detail | None:
    """Look closely at a part of the overlap where enough agrees for it to matter."""
    if trial.core is None or trial.core.strength < WORTH_A_CLOSER_LOOK:
        return None
    pixels = candidate.pixels(inverted=trial.proposal.inverted)
    return detail_of(part, square(trial.matrix), asset.preview, pixels, scale, trial.bend)


def _spread(points: Keypoints, overlap: Overlap, agreement: Agreement | None) -> int:
    """Count how many of 4 x 4 parts of the overlap hold inliers: copies agree all over, captions in one place."""
    if agreement is None:
        return 0
    left, top, right, bottom = overlap.pixels
    column = ((points.x[agreement.asset] - left) / (right - left) * 4).astype(np.int64).clip(0, 3)
    row = ((points.y[agreement.asset] - top) / (bottom - top) * 4).astype(np.int64).clip(0, 3)
    return len(np.unique(row * 4 + column))
