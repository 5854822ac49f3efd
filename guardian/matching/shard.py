"""What one shard of the index answers by itself: both stages, over its own assets.

An answer pickles and refers to no mapped file, so a shard on another machine differs in transport alone. What no
shard can know by itself (which evidence assets of other shards share, the ranking) is left to combine.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.matching.candidate import Candidate
from guardian.matching.geometry import Proposal
from guardian.matching.index import prefilter, vector_route
from guardian.matching.index.reader import Index, IndexedAsset, IndexSlot, PreviewedAsset, open_index
from guardian.matching.index.vector_route import PartEncoder
from guardian.matching.profiles import Profile
from guardian.matching.shortlist import shortlisted
from guardian.matching.verify.measuring import Measurement, measure


@dataclass(frozen=True, slots=True)
class MeasuredPair:
    """The candidate measured against one asset.

    `hash_distance`: bits of 256 between the asset and the candidate's most similar window. `embedding_similarity`:
    cosine (-1 to 1) of the descriptors of the whole pictures, None without weights.
    """

    asset: PreviewedAsset
    measurement: Measurement
    hash_distance: int
    embedding_similarity: float | None


@dataclass(frozen=True, slots=True)
class ShardAnswer:
    """All that one shard knows of one candidate.

    `commonness`: for each side of the candidate int32 [keypoints], for how many of the shard's assets a keypoint
    votes. `up_to_number`: up to this asset number the shard held all that it is to hold: of a folder on this machine
    the newest in it, 0 when it is empty. `assets_searched`: how many assets answer. `is_complete`: False when a part of
    the shard could not be searched.
    """

    pairs: tuple[MeasuredPair, ...]
    commonness: tuple[NDArray[np.int32], ...]
    up_to_number: int
    assets_searched: int
    is_complete: bool = True


class Shard:
    """One index folder, opened for search; follows its generations. Empty until `refresh`."""

    def __init__(self, folder: Path, recipe: str, profile: Profile) -> None:
        self._folder, self._recipe, self._profile = folder, recipe, profile
        self._index = Index(None, ())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever published."""
        return not self._index.segments

    def refresh(self) -> None:
        """Follow the index to its current generation. Raises IndexNotReady."""
        self._index = open_index(self._folder, self._recipe, self._index)

    def asset_vectors(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Yield numbers, int64 [n], and unit vectors, float16 [n, d], of the assets that answer, segment by segment."""
        for segment in self._index.segments:
            if segment.vectors is not None:
                yield segment.numbers[segment.alive].astype(np.int64), segment.vectors[segment.alive]

    def search(
        self, candidate: Candidate, encoder: PartEncoder | None, newer_than: int, profile: Profile | None = None
    ) -> ShardAnswer:
        """Measure the candidate against every asset above `newer_than` that some route brings.

        `encoder` gives the candidate's descriptors; None without weights. `profile`: another than the shard's own.
        Raises IndexNotReady for a damaged preview.
        """
        return search_index(self._index, candidate, encoder, newer_than, profile or self._profile)


def search_index(
    index: Index, candidate: Candidate, encoder: PartEncoder | None, newer_than: int, profile: Profile
) -> ShardAnswer:
    """Measure the candidate against every picture of an opened index above `newer_than` that some route brings.

    `encoder` gives the candidate's descriptors; None without weights. Raises IndexNotReady for a damaged preview.
    """
    hits = prefilter.search(index, candidate, newer_than, profile.voted_assets)
    proposals = shortlisted(index, candidate, hits.proposals, profile.measured_assets)

    vector: NDArray[np.float32] | None = None
    if encoder is not None and index.segments:
        # Tiles find small copies, so they are worth encoding only where nothing was found clearly.
        parts = encoder.parts(with_tiles=profile.tiles and not hits.is_clear)
        vector = parts[0].vector
        brought = vector_route.propose(index, parts, candidate.sides, newer_than)
        proposals = _joined(proposals, brought)

    pairs = []
    for (number, row), ways in proposals.items():
        asset = index.segments[number].asset(row)
        measurement = measure(asset, candidate, ways, exact=profile.exact)
        if measurement is not None:
            distance = int(hits.hash_distances[number][row])
            pairs.append(MeasuredPair(asset.previewed, measurement, distance, _similarity(vector, asset)))
    return ShardAnswer(tuple(pairs), hits.commonness, index.latest_number, index.assets)


def _joined(
    one: dict[IndexSlot, list[Proposal]], other: dict[IndexSlot, list[Proposal]]
) -> dict[IndexSlot, list[Proposal]]:
    """Return the union of what the routes bring."""
    slots = [*one, *(slot for slot in other if slot not in one)]
    return {slot: [*one.get(slot, ()), *other.get(slot, ())] for slot in slots}


def _similarity(vector: NDArray[np.float32] | None, asset: IndexedAsset) -> float | None:
    return None if vector is None or asset.embedding is None else float(vector @ asset.embedding)
