"""Stage one: the few assets of one index worth measuring, brought by keypoints that vote and by hashes.

Neither route gates the other; their union goes on, with what a descriptor brings (vector_route.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.candidate import Candidate
from guardian.matching.geometry import Proposal
from guardian.matching.index import hash_route, keypoint_route
from guardian.matching.index.reader import Index, IndexSlot

_CLEAR = 20
"""Votes that agree on one transform from which there is no need to look for the asset by dearer means."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What stage one brings of one index.

    `proposals`: how each asset might lie in the candidate, the best-voted assets first. `hash_distances`: for each
    segment int16 [assets], bits of 256 between an asset and the candidate's most similar window. `commonness`: for each
    of the candidate's sides int32 [keypoints], for how many assets of this index a keypoint votes.
    """

    proposals: dict[IndexSlot, list[Proposal]]
    hash_distances: list[NDArray[np.int16]]
    commonness: tuple[NDArray[np.int32], ...]

    @property
    def is_clear(self) -> bool:
        """Whether so many votes agree on one asset that there is no need to look for it by dearer means."""
        return any(proposal.agreeing >= _CLEAR for proposals in self.proposals.values() for proposal in proposals)


def search(index: Index, candidate: Candidate, newer_than: int, voted_assets: int) -> Hits:
    """Search all segments for assets above `newer_than`; the keypoint route brings at most `voted_assets`."""
    proposals, commonness = keypoint_route.propose(index, candidate, newer_than, voted_assets)
    hashed, distances = hash_route.propose(index, candidate.windows, newer_than)
    for slot, ways in hashed.items():
        proposals.setdefault(slot, []).extend(ways)
    return Hits(proposals, distances, commonness)
