"""Stage one: three routes to the few assets worth verifying. None gates another; their union goes on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching import geometry, hashing
from guardian.matching.geometry import mirrored_back
from guardian.matching.index import Index, IndexSegment
from guardian.matching.keypoints import Keypoints, taken
from guardian.matching.measuring import Proposal
from guardian.matching.windows import PixelBox

HASHED_PER_WINDOW = 2
MAX_HASH_DISTANCE = 90
"""Bits of 256; wide on purpose, since alignment judges what the hash brings."""

_MAX_CORRESPONDENCES = 150
_MOST_BALLOTS = 16
_CLEAR = 20
_PROPOSALS_PER_ASSET = 2
_WORTH_A_SECOND = 4

IndexSlot = tuple[int, int]
"""Segment and row of an asset in the index."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What stage one brings: proposals by place, hash distances by place, commonness of each side's keypoints."""

    proposals: dict[IndexSlot, list[Proposal]]
    hash_distances: list[NDArray[np.int16]]
    commonness: tuple[NDArray[np.int32], NDArray[np.int32]]

    @property
    def is_clear(self) -> bool:
        """Whether so many votes agree on one asset that there is no need to look for it by dearer means."""
        return any(proposal.agreeing >= _CLEAR for proposals in self.proposals.values() for proposal in proposals)


@dataclass(frozen=True, slots=True)
class _Ballot:
    """The votes of one side of the candidate for one asset."""

    place: IndexSlot
    mirrored: bool
    asset: Keypoints
    candidate: Keypoints
    agreeing: NDArray[np.int32]
    votes: int


def search(
    index: Index,
    sides: tuple[Keypoints, Keypoints],
    windows: list[tuple[PixelBox, NDArray[np.uint8]]],
    width: int,
    newer_than: int,
    voted_assets: int,
) -> Hits:
    """Search all segments; the keypoint route brings at most `voted_assets`.

    `windows` are boxes in candidate pixels with their hashes in eight orientations. `width` is the candidate's, in
    the pixels of `sides` (the second side is mirrored in it).
    """
    commonness = (np.zeros(len(sides[0]), np.int32), np.zeros(len(sides[1]), np.int32))
    ballots: list[_Ballot] = []
    for number, segment in enumerate(index.segments):
        eligible = segment.alive & (segment.numbers > newer_than)
        for mirrored in (False, True):
            ballots.extend(_ballots(segment, number, eligible, sides[mirrored], mirrored, commonness[mirrored]))
    proposals: dict[IndexSlot, list[Proposal]] = {}
    _propose_voted(ballots, width, voted_assets, proposals)
    distances = _propose_hashed(index, windows, newer_than, proposals)
    return Hits(proposals, distances, commonness)


def _ballots(
    segment: IndexSegment,
    number: int,
    eligible: NDArray[np.bool_],
    side: Keypoints,
    mirrored: bool,
    commonness: NDArray[np.int32],
) -> list[_Ballot]:
    """The assets with most votes that agree on one transform; those without two in agreement are left out.

    All assets are counted in one go: with many assets nearly each gets a few votes by chance.
    """
    if not len(side) or not eligible.any():
        return []
    votes, owners = segment.vote(side.descriptors)
    commonness += np.bincount(votes.query[segment.alive[owners]], minlength=len(side)).astype(np.int32)
    order = np.lexsort((votes.distance, owners))
    order = order[eligible[owners[order]]]
    if not len(order):
        return []
    rank = _rank_in_group(owners[order])
    counted = np.bincount(owners[order], minlength=len(eligible))
    order = order[(rank < _MAX_CORRESPONDENCES) & (counted[owners[order]] > 1)]
    if not len(order):
        return []
    owners = owners[order]
    starts = np.r_[0, np.flatnonzero(owners[1:] != owners[:-1]) + 1, len(owners)]
    asset, candidate = segment.points_at(votes.row[order], owners), taken(side, votes.query[order])
    agreeing = geometry.count_agreeing(asset, candidate, starts)
    most = np.maximum.reduceat(agreeing, starts[:-1])
    best = [group for group in np.argsort(-most, kind="stable")[:_MOST_BALLOTS] if most[group] >= 2]
    ballots = []
    for group in best:
        mine = np.arange(starts[group], starts[group + 1], dtype=np.int32)
        owner = int(owners[starts[group]])
        points = (taken(asset, mine), taken(candidate, mine))
        ballots.append(_Ballot((number, owner), mirrored, *points, agreeing[mine], int(counted[owner])))
    return ballots


def _rank_in_group(groups: NDArray[np.uint32]) -> NDArray[np.int64]:
    """int64 [n]: the place of each entry in its run of equal values."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))


def _propose_voted(
    ballots: list[_Ballot], width: int, voted_assets: int, proposals: dict[IndexSlot, list[Proposal]]
) -> None:
    """The best-supported transforms of the best-voted assets."""
    for ballot in sorted(ballots, key=lambda ballot: -int(ballot.agreeing.max())):
        if ballot.place not in proposals and len(proposals) >= voted_assets:
            continue
        if ballot.agreeing.max() < 3 and len(proposals) > voted_assets // 2:
            continue
        mine = proposals.setdefault(ballot.place, [])
        added = 0
        for index in np.argsort(-ballot.agreeing, kind="stable")[:8]:
            if added and ballot.agreeing[index] < _WORTH_A_SECOND:
                break
            matrix = geometry.proposed_similarity(ballot.asset, ballot.candidate, int(index))
            matrix = mirrored_back(matrix, width) if ballot.mirrored else matrix
            if added == _PROPOSALS_PER_ASSET or any(_is_near(matrix, known.matrix, ballot.asset) for known in mine):
                continue
            mine.append(Proposal(matrix, ballot.mirrored, int(ballot.agreeing.max()), ballot.votes))
            added += 1


def _is_near(matrix: NDArray[np.float64], known: NDArray[np.float64], points: Keypoints) -> bool:
    """Whether two transforms put the asset's voted points within a tenth of their extent of each other."""
    corners = np.array(
        [
            [points.x.min(), points.y.min(), 1.0],
            [points.x.max(), points.y.min(), 1.0],
            [points.x.max(), points.y.max(), 1.0],
            [points.x.min(), points.y.max(), 1.0],
        ]
    )
    mine, theirs = corners @ matrix.reshape(2, 3).T, corners @ known.reshape(2, 3).T
    extent = max(float(np.ptp(mine, axis=0).max()), 1.0)
    return bool(np.abs(mine - theirs).max() < 0.1 * extent)


def _propose_hashed(
    index: Index,
    windows: list[tuple[PixelBox, NDArray[np.uint8]]],
    newer_than: int,
    proposals: dict[IndexSlot, list[Proposal]],
) -> list[NDArray[np.int16]]:
    """The nearest hashes of each window, laid over that window. Returns the least distance to each asset."""
    eligible = [segment.alive & (segment.numbers > newer_than) for segment in index.segments]
    least = [np.full(len(segment), hashing.BITS, np.int16) for segment in index.segments]
    for box, hashes in windows:
        nearest: list[tuple[int, IndexSlot, int]] = []
        for number, segment in enumerate(index.segments):
            distances, orientations = hashing.nearest_orientation(hashes, segment.hashes)
            least[number] = np.minimum(least[number], distances)
            near = np.flatnonzero(eligible[number] & (distances <= MAX_HASH_DISTANCE))
            closest = near[np.argsort(distances[near], kind="stable")[:HASHED_PER_WINDOW]]
            nearest.extend((int(distances[row]), (number, int(row)), int(orientations[row])) for row in closest)
        for _, place, orientation in sorted(nearest)[:HASHED_PER_WINDOW]:
            width, height = index.segments[place[0]].size(place[1])
            matrix = hashing.orientation_transform(orientation, width, height, box)
            mirrored = bool(matrix[0] * matrix[4] - matrix[1] * matrix[3] < 0)
            proposals.setdefault(place, []).append(Proposal(matrix, mirrored))
    return least
