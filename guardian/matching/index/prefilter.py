"""Stage one: routes to the few assets of one index worth verifying: votes of keypoints, and hashes.

None gates another; their union goes on, with what a descriptor brings (vector_route.py).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching import consensus
from guardian.matching.candidate import Candidate, HashedWindow
from guardian.matching.features import hashing
from guardian.matching.features.keypoints import SIDES, Keypoints, OrientedPoints
from guardian.matching.geometry import Proposal, mirrored_back
from guardian.matching.index.reader import Index, IndexSegment
from guardian.matching.index.votes import RADIUS, Votes

HASHED_PER_WINDOW = 2
MAX_HASH_DISTANCE = 90
"""Bits of 256; wide on purpose, since alignment judges what the hash brings."""

# Agreement is counted between all pairs of an asset's votes, so their number is bounded.
_MAX_CORRESPONDENCES = 150
# Of each side, by either order; the best of all are chosen afterwards.
_MOST_BALLOTS, _MOST_FURTHER = 36, 12
# A keypoint of the candidate has so many votes: for more assets it counts in part.
_VOTES_PER_KEYPOINT = 6
# A vote counts in full up to so many bits, then less and less: most votes by chance lie at the radius.
_BITS_IN_FULL, _BITS_FADING = 20, 24
# Weight that agrees by chance, for each vote that an asset has.
_BY_CHANCE = 0.04
# One in four of the voted assets is one whose votes weigh little, but of what they weigh much agrees: from so many
# standard deviations on.
_FURTHER_ONE_IN, _FURTHER_FROM = 4, 1.0
_CLEAR = 20
_PROPOSALS_PER_ASSET = 2
_WORTH_A_SECOND = 4
# The frames of one animation must not take the places of other assets.
_FRAMES_PER_ASSET = 2
# Of an asset's correspondences so many, best supported first, are looked through for a second transform.
_TRIED_PER_ASSET = 8

IndexSlot = tuple[int, int]
"""Where an asset lies in an opened index: which segment, and which row of it."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What stage one brings of one index.

    `hash_distances`: for each segment int16 [assets], bits of 256 between an asset and the candidate's most similar
    window. `commonness`: for each of the candidate's sides int32 [keypoints], for how many assets of this index a
    keypoint votes.
    """

    proposals: dict[IndexSlot, list[Proposal]]
    hash_distances: list[NDArray[np.int16]]
    commonness: tuple[NDArray[np.int32], ...]

    @property
    def is_clear(self) -> bool:
        """Whether so many votes agree on one asset that there is no need to look for it by dearer means."""
        return any(proposal.agreeing >= _CLEAR for proposals in self.proposals.values() for proposal in proposals)


@dataclass(frozen=True, slots=True)
class _Ballot:
    """The votes of one side of the candidate for one asset.

    n correspondences: `asset` and `candidate` are equally long; `agreeing` int32 [n] counts how many of them agree with
    the transform that each proposes. `weight`: by how many standard deviations more agrees with the best of them than
    by chance, common keypoints and distant descriptors counted in part; `relative_weight`: the same, with chance
    reckoned from what the votes weigh, not from how many there are. `votes`: how many correspondences there were before
    their number was bounded.
    """

    slot: IndexSlot
    mirrored: bool
    inverted: bool
    asset: OrientedPoints
    candidate: OrientedPoints
    agreeing: NDArray[np.int32]
    weight: float
    relative_weight: float
    votes: int

    @property
    def support(self) -> int:
        """Votes that agree on one transform, at most."""
        return int(self.agreeing.max())


@dataclass(frozen=True, slots=True)
class _Eligible:
    """Which assets are asked for. Rows of all segments are counted through: segment s begins at `begins[s]`.

    `alive`, `asked`: bool [assets], those that answer, and those of them that are new enough.
    """

    begins: NDArray[np.int64]
    alive: NDArray[np.bool_]
    asked: NDArray[np.bool_]

    @classmethod
    def of(cls, index: Index, newer_than: int) -> "_Eligible":
        segments = index.segments
        alive = [segment.alive for segment in segments] or [np.zeros(0, bool)]
        newer = [segment.numbers > newer_than for segment in segments] or [np.zeros(0, bool)]
        begins = np.cumsum([0, *(len(segment) for segment in segments)])
        joined = np.concatenate(alive)
        return cls(begins, joined, joined & np.concatenate(newer))

    def slot(self, row: int) -> IndexSlot:
        """Return where a row of all lies."""
        segment = int(np.searchsorted(self.begins, row, side="right")) - 1
        return segment, row - int(self.begins[segment])


def search(index: Index, candidate: Candidate, newer_than: int, voted_assets: int) -> Hits:
    """Search all segments for assets above `newer_than`; the keypoint route brings at most `voted_assets`."""
    sides = candidate.sides
    commonness = tuple(np.zeros(len(side), np.int32) for side in sides)
    ballots: list[_Ballot] = []
    eligible = _Eligible.of(index, newer_than)
    for number_of_side, side in enumerate(sides):
        if len(side) and eligible.asked.any():
            votes = [segment.vote(side.descriptors) for segment in index.segments]
            # Older assets count too: a keypoint is common whichever assets are asked about.
            for segment, found in zip(index.segments, votes, strict=True):
                commonness[number_of_side][:] += _assets_voted_for(segment, found, len(side))
            ballots.extend(_ballots(index, eligible, votes, side, number_of_side, commonness[number_of_side]))

    proposals: dict[IndexSlot, list[Proposal]] = {}
    _propose_voted(index, ballots, candidate.width, voted_assets, proposals)
    distances = _propose_hashed(index, candidate.windows, newer_than, proposals)
    return Hits(proposals, distances, commonness)


def _assets_voted_for(segment: IndexSegment, votes: Votes, keypoints: int) -> NDArray[np.int32]:
    """Return for how many assets of a segment each keypoint votes: int32 [keypoints]. Frames of one are one asset."""
    query, owner = votes.query, votes.owner
    if not segment.alive.all():
        alive = segment.alive[owner]
        query, owner = query[alive], owner[alive]
    if segment.has_frames:
        # One number for each pair of keypoint and asset.
        pairs = query.astype(np.int64) * (int(segment.numbers.max()) + 1) + segment.numbers[owner]
        query = query[np.unique(pairs, return_index=True)[1]]
    return np.bincount(query, minlength=keypoints).astype(np.int32)


def _ballots(
    index: Index,
    eligible: _Eligible,
    votes: Sequence[Votes],
    side: Keypoints,
    number_of_side: int,
    commonness: NDArray[np.int32],
) -> list[_Ballot]:
    """Return the assets with most votes that agree on one transform; those without two in agreement are left out.

    `votes` are those of each segment, `commonness` int32 [keypoints] for how many assets each of the side votes. All
    assets are counted in one go: with many assets nearly each gets a few votes by chance. What a keypoint says of
    dozens of assets (letters, the frame that pages of one site share) says little of each, as do descriptors of which
    many bits differ.
    """
    begins = eligible.begins
    owners = np.concatenate([one.owner + begins[segment] for segment, one in enumerate(votes)])
    counted = np.bincount(owners, minlength=len(eligible.asked))
    wanted = np.flatnonzero(eligible.asked[owners] & (counted[owners] > 1))
    if not len(wanted):
        return []

    # Votes grouped by asset, the closest first.
    distances = np.concatenate([one.distance for one in votes])
    order = wanted[np.argsort(owners[wanted] * (RADIUS + 1) + distances[wanted], kind="stable")]
    order = order[_rank_in_group(owners[order]) < _MAX_CORRESPONDENCES]
    owners = owners[order]
    starts = np.r_[0, np.flatnonzero(owners[1:] != owners[:-1]) + 1, len(owners)]

    keypoints = np.concatenate([one.query for one in votes])[order]
    candidate = side.at(keypoints)
    asset = _points_at(index, eligible, np.concatenate([one.row for one in votes])[order], owners)
    agreeing = consensus.count_agreeing(asset, candidate, starts)

    rare = np.minimum(1, _VOTES_PER_KEYPOINT / commonness[keypoints])
    close = np.clip(1 - (distances[order] - _BITS_IN_FULL) / _BITS_FADING, 0, 1)
    value = (rare * close).astype(np.float32)
    agreed = consensus.weigh_agreeing(asset, candidate, starts, agreeing, value)
    # Among many votes more agree by chance.
    weights = _above(_BY_CHANCE * np.diff(starts), agreed)
    relative = _above(_BY_CHANCE * np.add.reduceat(value, starts[:-1]), agreed)
    supported = np.flatnonzero(np.maximum.reduceat(agreeing, starts[:-1]) >= 2)
    by_weight = supported[np.argsort(-weights[supported], kind="stable")]
    best, others = by_weight[:_MOST_BALLOTS], by_weight[_MOST_BALLOTS:]
    others = others[relative[others] >= _FURTHER_FROM]
    further = others[np.argsort(-relative[others], kind="stable")[:_MOST_FURTHER]]

    mirrored, inverted = SIDES[number_of_side]
    ballots = []
    for group in (*best.tolist(), *further.tolist()):
        mine = slice(int(starts[group]), int(starts[group + 1]))
        owner = int(owners[mine.start])
        found = (asset.at(mine), candidate.at(mine), agreeing[mine], float(weights[group]), float(relative[group]))
        ballots.append(_Ballot(eligible.slot(owner), mirrored, inverted, *found, int(counted[owner])))
    return ballots


def _above(expected: NDArray[np.floating], agreed: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return by how many standard deviations more agrees than is expected by chance."""
    return np.asarray((agreed - expected) / np.sqrt(expected + 1), np.float64)


def _points_at(
    index: Index, eligible: _Eligible, rows: NDArray[np.uint32], owners: NDArray[np.int64]
) -> OrientedPoints:
    """Return the keypoints of rows whose owners, counted through all segments, rise."""
    ends = np.searchsorted(owners, eligible.begins)
    parts = [
        segment.points_at(rows[first:last], owners[first:last] - begin)
        for segment, first, last, begin in zip(index.segments, ends[:-1], ends[1:], eligible.begins[:-1], strict=True)
    ]
    if len(parts) == 1:
        return parts[0]
    x, y, size, angle = (np.concatenate([getattr(one, name) for one in parts]) for name in ("x", "y", "size", "angle"))
    return OrientedPoints(x, y, size, angle)


def _rank_in_group(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each entry in its run of equal values: int64 [n]."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))


def _propose_voted(
    index: Index, ballots: list[_Ballot], width: int, voted_assets: int, proposals: dict[IndexSlot, list[Proposal]]
) -> None:
    """Add the best-supported transforms of `voted_assets`, most by weight and then some by relative weight.

    An asset that repeats, or shows what is common, has many votes of little weight, and more of them agree in a copy
    than in another picture, but hardly as much as by chance if each counted in full. `width` is the candidate's, in
    pixels.
    """
    slots_by_asset = defaultdict[int, set[IndexSlot]](set)

    def add(ranked: list[_Ballot], most: int) -> None:
        for ballot in ranked:
            if ballot.slot not in proposals and len(proposals) >= most:
                continue
            segment, row = ballot.slot
            slots = slots_by_asset[int(index.segments[segment].numbers[row])]
            if ballot.slot not in slots and len(slots) >= _FRAMES_PER_ASSET:
                continue
            slots.add(ballot.slot)
            # Two votes agree by chance: they only fill half of the places.
            if ballot.support < 3 and len(proposals) > most // 2:
                continue
            _propose_transforms(ballot, width, proposals.setdefault(ballot.slot, []))

    further = voted_assets // _FURTHER_ONE_IN
    add(sorted(ballots, key=lambda ballot: -ballot.weight), voted_assets - further)
    others = [one for one in ballots if one.relative_weight >= _FURTHER_FROM and one.slot not in proposals]
    add(sorted(others, key=lambda ballot: -ballot.relative_weight), len(proposals) + further)


def _propose_transforms(ballot: _Ballot, width: int, known: list[Proposal]) -> None:
    """Add the ballot's best transform to those that are known of its asset; a second one where enough support it."""
    added, corners = 0, _corners_of(ballot.asset)
    for index in np.argsort(-ballot.agreeing, kind="stable")[:_TRIED_PER_ASSET]:
        if added == _PROPOSALS_PER_ASSET or (added and ballot.agreeing[index] < _WORTH_A_SECOND):
            return
        matrix = consensus.proposed_similarity(ballot.asset, ballot.candidate, int(index))
        matrix = mirrored_back(matrix, width) if ballot.mirrored else matrix
        alike = [other for other in known if other.inverted == ballot.inverted]
        if any(_is_near(matrix, other.matrix, corners) for other in alike):
            continue
        known.append(Proposal(matrix, ballot.mirrored, ballot.support, ballot.votes, ballot.inverted))
        added += 1


def _corners_of(points: OrientedPoints) -> NDArray[np.float64]:
    """Return the corners of the box that holds the points, float64 [4, 3], homogeneous."""
    left, top, right, bottom = points.x.min(), points.y.min(), points.x.max(), points.y.max()
    corners = [[left, top, 1.0], [right, top, 1.0], [right, bottom, 1.0], [left, bottom, 1.0]]
    return np.array(corners, np.float64)


def _is_near(matrix: NDArray[np.float64], known: NDArray[np.float64], corners: NDArray[np.float64]) -> bool:
    """Return whether two transforms put the corners of the asset's voted points within a tenth of their extent."""
    mine, theirs = corners @ matrix.reshape(2, 3).T, corners @ known.reshape(2, 3).T
    extent = max(float(np.ptp(mine, axis=0).max()), 1.0)
    return bool(np.abs(mine - theirs).max() < 0.1 * extent)


def _propose_hashed(
    index: Index, windows: Sequence[HashedWindow], newer_than: int, proposals: dict[IndexSlot, list[Proposal]]
) -> list[NDArray[np.int16]]:
    """Add the nearest hashes of each window, laid over that window. Returns the least distance to each asset."""
    eligible = [segment.alive & (segment.numbers > newer_than) for segment in index.segments]
    least = [np.full(len(segment), hashing.BITS, np.int16) for segment in index.segments]
    for box, hashes in windows:
        nearest: list[tuple[int, IndexSlot, int]] = []
        for number, segment in enumerate(index.segments):
            distances, orientations = hashing.nearest_view(hashes, segment.hashes)
            least[number] = np.minimum(least[number], distances)

            near = np.flatnonzero(eligible[number] & (distances <= MAX_HASH_DISTANCE))
            closest = near[np.argsort(distances[near], kind="stable")[:HASHED_PER_WINDOW]]
            nearest.extend((int(distances[row]), (number, int(row)), int(orientations[row])) for row in closest)

        for _, slot, view in sorted(nearest)[:HASHED_PER_WINDOW]:
            width, height = index.segments[slot[0]].size(slot[1])
            inverted, orientation = divmod(view, hashing.ORIENTATIONS)
            matrix = hashing.orientation_transform(orientation, width, height, box)
            # A negative determinant turns the picture over.
            mirrored = bool(matrix[0] * matrix[4] - matrix[1] * matrix[3] < 0)
            proposals.setdefault(slot, []).append(Proposal(matrix, mirrored, inverted=bool(inverted)))
    return least
