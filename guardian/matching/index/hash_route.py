"""The hash route of stage one: the assets whose hash is nearest to that of some window of the candidate."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from guardian.matching.candidate import HashedWindow
from guardian.matching.features import hashing
from guardian.matching.geometry import Proposal
from guardian.matching.index.reader import Index, IndexSlot

HASHED_PER_WINDOW = 2
MAX_HASH_DISTANCE = 90
"""Bits of 256; wide on purpose, since alignment judges what the hash brings."""


def propose(
    index: Index, windows: Sequence[HashedWindow], newer_than: int
) -> tuple[dict[IndexSlot, list[Proposal]], list[NDArray[np.int16]]]:
    """Propose the nearest assets above `newer_than` of each window, laid over that window.

    Returns also for each segment int16 [assets]: bits of 256 between an asset and the most similar window.
    """
    proposals: dict[IndexSlot, list[Proposal]] = {}
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
    return proposals, least
