"""Stage one: three routes to the few assets worth verifying. None gates another; their union goes on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching import geometry, hashing
from guardian.matching.geometry import mirrored_back
from guardian.matching.index import Index, IndexSegment
from guardian.matching.keypoints import Keypoints, taken
from guardian.matching.measuring import Proposal
from guardian.matching.windows import PixelBox

VOTED_ASSETS = 8
"""How many assets the keypoint route brings at most."""

HASHED_PER_WINDOW = 2
MAX_HASH_DISTANCE = 90
"""Bits of 256; wide on purpose, since alignment judges what the hash brings."""

NEAREST_VECTORS = 3
_MAX_CORRESPONDENCES = 150
_PROPOSALS_PER_ASSET = 2

Place = tuple[int, int]
"""Segment and row of an asset in the index."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What stage one brings: proposals by place, hash distances by place, commonness of each side's keypoints."""

    proposals: dict[Place, list[Proposal]]
    hash_distances: list[NDArray[np.int16]]
    commonness: tuple[NDArray[np.int32], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class _Ballot:
    """The votes of one side of the candidate for one asset."""

    place: Place
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
) -> Hits:
    """Search all segments. `windows` are boxes in candidate pixels with their hashes in eight orientations.

    `width` is the candidate's, in the pixels of `sides` (the second side is mirrored in it).
    """
    commonness = (np.zeros(len(sides[0]), np.int32), np.zeros(len(sides[1]), np.int32))
    ballots: list[_Ballot] = []
    for number, segment in enumerate(index.segments):
        eligible = segment.alive & (segment.numbers > newer_than)
        for mirrored in (False, True):
            ballots.extend(_ballots(segment, number, eligible, sides[mirrored], mirrored, commonness[mirrored]))
    proposals: dict[Place, list[Proposal]] = {}
    _propose_voted(ballots, width, proposals)
    distances = _propose_hashed(index, windows, newer_than, proposals)
    return Hits(proposals, distances, commonness)


def _ballots(
    segment: IndexSegment,
    number: int,
    eligible: NDArray[np.bool_],
    side: Keypoints,
    mirrored: bool,
    commonness: NDArray[np.int32],
) -> Iterator[_Ballot]:
    """Votes grouped by asset, with how many agree on one transform; assets without two in agreement are left out."""
    if not len(side) or not eligible.any():
        return
    votes, owners = segment.vote(side.descriptors)
    commonness += np.bincount(votes.query, minlength=len(side)).astype(np.int32)
    if not len(owners):
        return
    order = np.lexsort((votes.distance, owners))
    owners = owners[order]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    for start, stop in zip(starts, np.r_[starts[1:], len(owners)], strict=True):
        owner = int(owners[start])
        if stop - start < 2 or not eligible[owner]:
            continue
        chosen = order[start : min(stop, start + _MAX_CORRESPONDENCES)]
        asset = segment.points_at(votes.row[chosen], owners[start : start + len(chosen)])
        candidate = taken(side, votes.query[chosen])
        agreeing = geometry.count_agreeing(asset, candidate)
        if agreeing.max() >= 2:
            yield _Ballot((number, owner), mirrored, asset, candidate, agreeing, int(stop - start))


def _propose_voted(ballots: list[_Ballot], width: int, proposals: dict[Place, list[Proposal]]) -> None:
    """The best-supported transforms of the best-voted assets."""
    for ballot in sorted(ballots, key=lambda ballot: -int(ballot.agreeing.max())):
        if ballot.place not in proposals and len(proposals) >= VOTED_ASSETS:
            continue
        if ballot.agreeing.max() < 3 and len(proposals) > VOTED_ASSETS // 2:
            continue
        mine = proposals.setdefault(ballot.place, [])
        added = 0
        for index in np.argsort(-ballot.agreeing, kind="stable")[:8]:
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
    proposals: dict[Place, list[Proposal]],
) -> list[NDArray[np.int16]]:
    """The nearest hashes of each window, laid over that window. Returns the least distance to each asset."""
    least = []
    for number, segment in enumerate(index.segments):
        eligible = segment.alive & (segment.numbers > newer_than)
        nearest = np.full(len(segment), hashing.BITS, np.int16)
        for box, hashes in windows:
            distances, orientations = hashing.nearest_orientation(hashes, segment.hashes)
            nearest = np.minimum(nearest, distances)
            for row in np.argsort(np.where(eligible, distances, hashing.BITS), kind="stable")[:HASHED_PER_WINDOW]:
                if not eligible[row] or distances[row] > MAX_HASH_DISTANCE:
                    continue
                width, height = segment.size(int(row))
                matrix = hashing.orientation_transform(int(orientations[row]), width, height, box)
                mirrored = bool(matrix[0] * matrix[4] - matrix[1] * matrix[3] < 0)
                proposals.setdefault((number, int(row)), []).append(Proposal(matrix, mirrored))
        least.append(nearest)
    return least
