"""Stage two, for one asset: from proposed transforms to everything that can be measured about the pair."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from guardian.matching.alignment import Alignment, Overlap, Pyramid, align, overlap_of
from guardian.matching.geometry import Agreement, CandidateGrid, Matrix, mirrored_back
from guardian.matching.index import IndexedAsset
from guardian.matching.keypoints import Keypoints

COMMON_FROM = 3
"""A candidate keypoint that votes for this many assets or more is common: lettering, icons, frames."""

_ENOUGH_INLIERS = 8


@dataclass(frozen=True, slots=True)
class Proposal:
    """How the asset might lie in the candidate. `agreeing` votes support it, of `votes` for this asset.

    `matrix` maps asset pixels to candidate pixels. Both counts are 0 when the hash proposed it.
    """

    matrix: Matrix
    mirrored: bool
    agreeing: int = 0
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured under the best transform. `agreement` is None when the hash alone led here.

    `rare`: inliers whose candidate keypoint is not common. `spread`: how many of 4 x 4 parts of the overlap
    hold inliers. `visible`: asset keypoints inside the overlap. `stretch`: ratio of the two scales.
    """

    matrix: Matrix
    mirrored: bool
    overlap: Overlap
    alignment: Alignment
    inliers: int
    close_inliers: int
    mean_bits: float
    rare: int
    spread: int
    visible: int
    scale: float
    stretch: float
    agreeing: int
    votes: int

    @property
    def support(self) -> float:
        """How well pixels and keypoints agree; ranks transforms of one pair, says nothing across pairs."""
        pixels = self.alignment
        return (
            _or_zero(pixels.mean) * min(1.0, pixels.rich / 12)
            + 0.3 * _or_zero(pixels.whole)
            + 0.1 * min(1.0, self.inliers / 40)
        )


@dataclass(slots=True)
class CandidateViews:
    """A candidate made ready for comparison: keypoints of both sides, a grey pyramid, full upright size.

    `commonness[side]` counts for each keypoint how many assets it voted for.
    """

    sides: tuple[Keypoints, Keypoints]
    pyramid: Pyramid
    commonness: tuple[NDArray[np.int32], NDArray[np.int32]]
    _grids: dict[bool, CandidateGrid] = field(default_factory=dict)

    def grid(self, *, mirrored: bool) -> CandidateGrid:
        """The grid of one side, made on first use."""
        if mirrored not in self._grids:
            points = self.sides[mirrored]
            self._grids[mirrored] = CandidateGrid(points, self.pyramid.width, self.pyramid.height)
        return self._grids[mirrored]


def measure(asset: IndexedAsset, candidate: CandidateViews, proposals: list[Proposal]) -> Measurement | None:
    """The best-supported measurement over all proposals; None when none of them puts the two on each other."""
    measured = [found for proposal in proposals for found in _follow(asset, candidate, proposal)]
    return max(measured, key=lambda found: found.support, default=None)


def _follow(asset: IndexedAsset, candidate: CandidateViews, proposal: Proposal) -> Iterator[Measurement]:
    """Refine a proposal by keypoints; where these are few, the pixels also judge the proposal as it came."""
    width = candidate.pyramid.width
    agreement: Agreement | None = None
    if len(candidate.sides[proposal.mirrored]):
        start = mirrored_back(proposal.matrix, width) if proposal.mirrored else proposal.matrix
        agreement = candidate.grid(mirrored=proposal.mirrored).refine(start, asset.points, asset.words)
    if agreement is not None:
        matrix = mirrored_back(agreement.matrix, width) if proposal.mirrored else agreement.matrix
        yield from _measured(asset, candidate, proposal, matrix, agreement)
    if agreement is None or len(agreement.asset) < _ENOUGH_INLIERS:
        yield from _measured(asset, candidate, proposal, proposal.matrix, None)


def _measured(
    asset: IndexedAsset, candidate: CandidateViews, proposal: Proposal, matrix: Matrix, agreement: Agreement | None
) -> Iterator[Measurement]:
    pyramid = candidate.pyramid
    overlap = overlap_of(matrix, (asset.width, asset.height), (pyramid.width, pyramid.height))
    if overlap is None:
        return
    alignment = align(matrix, overlap, asset.preview, pyramid)
    if alignment is None:
        return
    scales = np.linalg.svd(matrix.reshape(2, 3)[:, :2], compute_uv=False)
    left, top, right, bottom = overlap.pixels
    points = asset.points
    visible = (points.x >= left) & (points.x <= right) & (points.y >= top) & (points.y <= bottom)
    bits = agreement.bits if agreement is not None else np.zeros(0)
    yield Measurement(
        matrix=matrix,
        mirrored=proposal.mirrored,
        overlap=overlap,
        alignment=alignment,
        inliers=len(bits),
        close_inliers=int((bits <= 40).sum()),
        mean_bits=float(bits.mean()) if len(bits) else 64.0,
        rare=_rare(candidate, proposal, agreement),
        spread=_spread(points, overlap, agreement),
        visible=int(visible.sum()),
        scale=float(np.sqrt(scales[0] * scales[1])),
        stretch=float(scales[0] / max(scales[1], 1e-9)),
        agreeing=proposal.agreeing,
        votes=proposal.votes,
    )


def _rare(candidate: CandidateViews, proposal: Proposal, agreement: Agreement | None) -> int:
    if agreement is None:
        return 0
    return int((candidate.commonness[proposal.mirrored][agreement.candidate] < COMMON_FROM).sum())


def _spread(points: Keypoints, overlap: Overlap, agreement: Agreement | None) -> int:
    if agreement is None:
        return 0
    left, top, right, bottom = overlap.pixels
    column = ((points.x[agreement.asset] - left) / (right - left) * 4).astype(np.int64).clip(0, 3)
    row = ((points.y[agreement.asset] - top) / (bottom - top) * 4).astype(np.int64).clip(0, 3)
    return len(np.unique(row * 4 + column))


def _or_zero(value: float) -> float:
    return 0.0 if np.isnan(value) else value
