"""Between the stages: which of the assets that votes brought are worth measuring.

With many assets a few votes agree by chance, about as many as a small crop has. One round of guided matching under the
proposed transform tells them apart at a fraction of what measuring costs.
"""

import numpy as np

from guardian.matching.candidate import Candidate
from guardian.matching.geometry import Proposal
from guardian.matching.index.prefilter import IndexSlot
from guardian.matching.index.reader import Index

_MOST_BY_CHANCE = 0.001
"""Share of the compared pairs of keypoints that agree by chance, at most."""

_CLEAR_SURPLUS = 10.0
"""Standard deviations above what agrees by chance from which an asset is measured, however many others are."""


def shortlisted(
    index: Index, candidate: Candidate, proposals: dict[IndexSlot, list[Proposal]], count: int
) -> dict[IndexSlot, list[Proposal]]:
    """Return the proposals of the `count` voted assets that keypoints support best, and all that a hash proposed.

    More than `count` where more are clear: a collage may show a dozen protected pictures, some protected twice.
    """
    # Frames of one asset stand for themselves: each may lie elsewhere in the candidate.
    voted = [slot for slot, ways in proposals.items() if any(way.votes for way in ways)]
    if len(voted) <= count:
        return proposals

    looks = {slot: _best_look(index, slot, candidate, proposals[slot]) for slot in voted}
    # Most of them are there by chance, so they tell how many keypoints agree by chance; of a collage not even most.
    rate = min(_MOST_BY_CHANCE, float(np.median([near / max(1, compared) for near, compared in looks.values()])))
    surplus = {slot: _surplus(*looks[slot], rate) for slot in voted}
    ranked = sorted(voted, key=lambda slot: -surplus[slot])
    dropped = {slot for slot in ranked[count:] if surplus[slot] < _CLEAR_SURPLUS}

    kept: dict[IndexSlot, list[Proposal]] = {}
    for slot, ways in proposals.items():
        # An asset that a hash proposed too is measured by that proposal alone.
        worth = [way for way in ways if not way.votes] if slot in dropped else ways
        if worth:
            kept[slot] = worth
    return kept


def _best_look(index: Index, slot: IndexSlot, candidate: Candidate, proposals: list[Proposal]) -> tuple[int, int]:
    """Return how many keypoints agree with the asset's best proposal, and how many pairs were compared for it."""
    segment, row = index.segments[slot[0]], slot[1]
    points, words = segment.points(row), segment.words(row)
    looks = []
    for proposal in proposals:
        if proposal.votes:
            matrix = proposal.flipped(proposal.matrix, candidate.width)
            grid = candidate.grid(mirrored=proposal.mirrored, inverted=proposal.inverted)
            looks.append(grid.count_near(matrix, points, words))
    return max(looks)


def _surplus(near: int, compared: int, rate: float) -> float:
    """Return by how many standard deviations more keypoints agree than `rate` of what was compared would by chance.

    Where a picture is shown small, few of its keypoints have any near them that they could agree with by chance.
    """
    expected = rate * compared
    return (near - expected) / float(np.sqrt(expected + 1.0))
