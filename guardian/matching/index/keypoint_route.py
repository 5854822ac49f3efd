"""The keypoint route of stage one: descriptors vote for assets, and votes that agree propose transforms.

An asset's rank is how much more agrees on its best transform than by chance, in standard deviations.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching import consensus
from guardian.matching.candidate import Candidate
from guardian.matching.features.keypoints import SIDES, Keypoints, OrientedPoints
from guardian.matching.geometry import Proposal, mirrored_back
from guardian.matching.index.reader import Index, IndexSegment, IndexSlot
from guardian.matching.index.votes import RADIUS, Votes

# Agreement is counted between all pairs of an asset's votes, so their number is bounded.
_MAX_CORRESPONDENCES = 150
# Of each side, by either order; the best of all are chosen afterwards.
_MOST_BY_WEIGHT, _MOST_BY_RELATIVE_WEIGHT = 36, 12
# A keypoint of the candidate has so many votes: for more assets it counts in part.
_VOTES_PER_KEYPOINT = 6
# A vote counts in full up to so many bits, then less and less: most votes by chance lie at the radius.
_BITS_IN_FULL, _BITS_FADING = 20, 24
# Weight that agrees by chance, for each vote that an asset has.
_BY_CHANCE = 0.04
# One in four of the voted assets is one whose votes weigh little, but of what they weigh much agrees: from so many
# standard deviations on.
_RELATIVE_ONE_IN, _RELATIVE_FROM = 4, 1.0
_PROPOSALS_PER_ASSET = 2
_WORTH_A_SECOND = 4
# The frames of one animation must not take the places of other assets.
_FRAMES_PER_ASSET = 2
# Of an asset's correspondences so many, best supported first, are looked through for a second transform.
_TRIED_PER_ASSET = 8


@dataclass(frozen=True, slots=True)
class _VotedAsset:
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


@dataclass(frozen=True, slots=True)
class _Grouped:
    """The votes of one side of the candidate, grouped by asset, the closest descriptors of each asset first.

    n votes in m groups: group g goes from `starts[g]` to `starts[g + 1]`, int64 [m + 1]. Each vote has its `owner` (row
    of all segments), the `keypoint` of the side, the `row` of the segment's descriptors, and its `distance` in bits:
    integers [n]. `counted`: int64 [rows of all segments], votes of each owner before their number was bounded.
    """

    starts: NDArray[np.int64]
    owner: NDArray[np.int64]
    keypoint: NDArray[np.int32]
    row: NDArray[np.uint32]
    distance: NDArray[np.int16]
    counted: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1


def propose(
    index: Index, candidate: Candidate, newer_than: int, voted_assets: int
) -> tuple[dict[IndexSlot, list[Proposal]], tuple[NDArray[np.int32], ...]]:
    """Propose transforms of at most `voted_assets` assets above `newer_than`, the best supported first.

    Returns also for each of the candidate's sides int32 [keypoints]: for how many assets of the index a keypoint votes.
    """
    sides = candidate.sides
    commonness = tuple(np.zeros(len(side), np.int32) for side in sides)
    voted: list[_VotedAsset] = []
    eligible = _Eligible.of(index, newer_than)
    for number, side in enumerate(sides):
        if len(side) and eligible.asked.any():
            votes = [segment.vote(side.descriptors) for segment in index.segments]
            # Older assets count too: a keypoint is common whichever assets are asked about.
            for segment, found in zip(index.segments, votes, strict=True):
                commonness[number][:] += _assets_voted_for(segment, found, len(side))
            grouped = _grouped(eligible, votes)
            if len(grouped):
                voted.extend(_voted_assets(index, eligible, grouped, side, number, commonness[number]))
    return _proposals(index, voted, candidate.width, voted_assets), commonness


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


def _grouped(eligible: _Eligible, votes: Sequence[Votes]) -> _Grouped:
    """Group the votes of all segments by asset, without assets that are not asked for, and those with one vote alone.

    All assets are grouped in one go: with many assets nearly each gets a few votes by chance.
    """
    owner = np.concatenate([one.owner + eligible.begins[segment] for segment, one in enumerate(votes)])
    distance = np.concatenate([one.distance for one in votes])
    counted = np.bincount(owner, minlength=len(eligible.asked))
    wanted = np.flatnonzero(eligible.asked[owner] & (counted[owner] > 1))

    order = wanted[np.argsort(owner[wanted] * (RADIUS + 1) + distance[wanted], kind="stable")]
    order = order[_rank_in_group(owner[order]) < _MAX_CORRESPONDENCES]
    owner = owner[order]
    starts = np.r_[0, np.flatnonzero(owner[1:] != owner[:-1]) + 1, len(owner)] if len(owner) else np.zeros(1, np.int64)

    keypoint, row = np.concatenate([one.query for one in votes]), np.concatenate([one.row for one in votes])
    return _Grouped(starts, owner, keypoint[order], row[order], distance[order], counted)


def _voted_assets(
    index: Index,
    eligible: _Eligible,
    grouped: _Grouped,
    side: Keypoints,
    number_of_side: int,
    commonness: NDArray[np.int32],
) -> list[_VotedAsset]:
    """Return the assets of which most votes agree on one transform; those without two in agreement are left out.

    `commonness`: int32 [keypoints], for how many assets each keypoint of the side votes.
    """
    starts = grouped.starts
    candidate = side.at(grouped.keypoint)
    asset = _points_at(index, eligible, grouped.row, grouped.owner)
    agreeing = consensus.count_agreeing(asset, candidate, starts)

    value = _values(grouped, commonness)
    agreed = consensus.weigh_agreeing(asset, candidate, starts, agreeing, value)
    # Among many votes more agree by chance.
    weights = _above(_BY_CHANCE * np.diff(starts), agreed)
    relative = _above(_BY_CHANCE * np.add.reduceat(value, starts[:-1]), agreed)
    supported = np.flatnonzero(np.maximum.reduceat(agreeing, starts[:-1]) >= 2)

    mirrored, inverted = SIDES[number_of_side]
    voted = []
    for group in _chosen(supported, weights, relative).tolist():
        mine = slice(int(starts[group]), int(starts[group + 1]))
        owner = int(grouped.owner[mine.start])
        found = (asset.at(mine), candidate.at(mine), agreeing[mine], float(weights[group]), float(relative[group]))
        voted.append(_VotedAsset(eligible.slot(owner), mirrored, inverted, *found, int(grouped.counted[owner])))
    return voted


def _values(grouped: _Grouped, commonness: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return what each vote counts, float32 [n] from 0 to 1.

    A keypoint that votes for dozens of assets (letters, the frame that pages of one site share) says little of each,
    and so do descriptors of which many bits differ.
    """
    rare = np.minimum(1, _VOTES_PER_KEYPOINT / commonness[grouped.keypoint])
    close = np.clip(1 - (grouped.distance - _BITS_IN_FULL) / _BITS_FADING, 0, 1)
    return (rare * close).astype(np.float32)


def _above(expected: NDArray[np.floating], agreed: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return by how many standard deviations more agrees than is expected by chance."""
    return np.asarray((agreed - expected) / np.sqrt(expected + 1), np.float64)


def _chosen(
    supported: NDArray[np.int64], weights: NDArray[np.float64], relative: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return which of the supported groups go on: the first by weight, then some of the others by relative weight."""
    by_weight = supported[np.argsort(-weights[supported], kind="stable")]
    best, others = by_weight[:_MOST_BY_WEIGHT], by_weight[_MOST_BY_WEIGHT:]
    others = others[relative[others] >= _RELATIVE_FROM]
    further = others[np.argsort(-relative[others], kind="stable")[:_MOST_BY_RELATIVE_WEIGHT]]
    return np.concatenate([best, further])


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


def _proposals(
    index: Index, voted: list[_VotedAsset], width: int, voted_assets: int
) -> dict[IndexSlot, list[Proposal]]:
    """Return the best-supported transforms of `voted_assets`, most by weight and then some by relative weight.

    An asset that repeats, or shows what is common, has many votes of little weight, and more of them agree in a copy
    than in another picture, but hardly as much as by chance if each counted in full. `width` is the candidate's, in
    pixels.
    """
    proposals: dict[IndexSlot, list[Proposal]] = {}
    slots_by_asset = defaultdict[int, set[IndexSlot]](set)

    def add(ranked: list[_VotedAsset], most: int) -> None:
        for one in ranked:
            if one.slot not in proposals and len(proposals) >= most:
                continue
            segment, row = one.slot
            slots = slots_by_asset[int(index.segments[segment].numbers[row])]
            if one.slot not in slots and len(slots) >= _FRAMES_PER_ASSET:
                continue
            slots.add(one.slot)
            # Two votes agree by chance: they only fill half of the places.
            if one.support < 3 and len(proposals) > most // 2:
                continue
            _add_transforms(one, width, proposals.setdefault(one.slot, []))

    further = voted_assets // _RELATIVE_ONE_IN
    add(sorted(voted, key=lambda one: -one.weight), voted_assets - further)
    others = [one for one in voted if one.relative_weight >= _RELATIVE_FROM and one.slot not in proposals]
    add(sorted(others, key=lambda one: -one.relative_weight), len(proposals) + further)
    return proposals


def _add_transforms(voted: _VotedAsset, width: int, known: list[Proposal]) -> None:
    """Add the best transform of the votes to those that are known of their asset; a second where enough support it."""
    added, corners = 0, _corners_of(voted.asset)
    for index in np.argsort(-voted.agreeing, kind="stable")[:_TRIED_PER_ASSET]:
        if added == _PROPOSALS_PER_ASSET or (added and voted.agreeing[index] < _WORTH_A_SECOND):
            return
        matrix = consensus.proposed_similarity(voted.asset, voted.candidate, int(index))
        matrix = mirrored_back(matrix, width) if voted.mirrored else matrix
        alike = [other for other in known if other.inverted == voted.inverted]
        if any(_is_near(matrix, other.matrix, corners) for other in alike):
            continue
        known.append(Proposal(matrix, voted.mirrored, voted.support, voted.votes, voted.inverted))
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
