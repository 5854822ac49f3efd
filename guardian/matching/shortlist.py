"""Between the stages: which of the assets that votes brought are worth measuring.

With many assets a few votes agree by chance, about as many as a small crop has. One round of guided matching under the
proposed transform tells them apart at a fraction of what measuring costs.
"""

import numpy as np

from guardian.matching.candidate import Candidate
from guardian.matching.geometry import Proposal
from guardian.matching.guided_matching import QuickLook
from guardian.matching.index.reader import Index, IndexSlot

_MOST_OF_VISIBLE, _MOST_OF_COMPARED = 0.02, 0.001
"""Shares of the visible keypoints, and of the compared pairs of them, that agree by chance, at most."""

_BEHIND = 0.15
"""Standard deviations that one place further down among the voted assets takes off: votes tell something, too."""

_CLEAR_SURPLUS = 10.0
"""Standard deviations above what agrees by chance from which an asset is measured, however many others are."""


def shortlisted(
    index: Index, candidate: Candidate, proposals: dict[IndexSlot, list[Proposal]], count: int
) -> dict[IndexSlot, list[Proposal]]:
    """Return the proposals of the `count` voted assets that keypoints support best, and all that a hash proposed.

    `proposals` begin with the best-voted assets.
    More than `count` where more are clear: a collage may show a dozen protected pictures, some protected twice.
    """
    # Frames of one asset stand for themselves: each may lie elsewhere in the candidate.
    voted = [slot for slot, ways in proposals.items() if any(way.votes for way in ways)]
    if len(voted) <= count:
        return proposals

    looks = {slot: _best_look(index, slot, candidate, proposals[slot]) for slot in voted}
    # Most of them are there by chance, so they tell how many keypoints agree by chance; of a collage not even most.
    of_visible = min(_MOST_OF_VISIBLE, _median([look.inliers / max(1, look.visible) for look in looks.values()]))
    of_compared = min(_MOST_OF_COMPARED, _median([look.inliers / max(1, look.compared) for look in looks.values()]))
    # A picture that is shown small has few keypoints that could agree, one among dense texture has many: each is told
    # by one of the two.
    surplus = {
        slot: max(
            _surplus(look.inliers, of_visible * look.visible), _surplus(look.inliers, of_compared * look.compared)
        )
        for slot, look in looks.items()
    }
    places = {slot: place for place, slot in enumerate(voted)}
    ranked = sorted(voted, key=lambda slot: _BEHIND * places[slot] - surplus[slot])
    dropped = {slot for slot in ranked[count:] if surplus[slot] < _CLEAR_SURPLUS}

    kept: dict[IndexSlot, list[Proposal]] = {}
    for slot, ways in proposals.items():
        # An asset that a hash proposed too is measured by that proposal alone.
        worth = [way for way in ways if not way.votes] if slot in dropped else ways
        if worth:
            kept[slot] = worth
    return kept


def _best_look(index: Index, slot: IndexSlot, candidate: Candidate, proposals: list[Proposal]) -> QuickLook:
    """Return how many keypoints agree with the asset's best proposal, and how many could."""
    segment, row = index.segments[slot[0]], slot[1]
    points, words = segment.points(row), segment.words(row)
    looks = []
    for proposal in proposals:
        if proposal.votes:
            matrix = proposal.flipped(proposal.matrix, candidate.width)
            grid = candidate.grid(mirrored=proposal.mirrored, inverted=proposal.inverted)
            looks.append(grid.quick_look(matrix, points, words))
    return max(looks)


def _surplus(inliers: int, expected: float) -> float:
    """Return by how many standard deviations more keypoints agree than are expected by chance."""
    return (inliers - expected) / float(np.sqrt(expected + 1.0))


def _median(values: list[float]) -> float:
    return float(np.median(values))
