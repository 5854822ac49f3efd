"""What rules may speak about: one match at one place, as named facts."""

from dataclasses import dataclass
from typing import Literal

from guardian.model import Asset, Comparison, Standing

Fact = float | str | tuple[str, ...] | None
"""A number, a word, several words (any may fit), or None: not measured."""


@dataclass(frozen=True, slots=True)
class Use:
    """One match at one place. `place` is "own" on the owner's own hosts."""

    comparison: Comparison
    asset: Asset
    standing: Standing
    place: Literal["own", "elsewhere"]
    host: str
    source: str


def facts_of(use: Use) -> dict[str, Fact]:
    """The facts of a use under the names that rule files use."""
    comparison, transform = use.comparison, use.comparison.transform
    return {
        "probability": comparison.probability,
        "hash_distance": comparison.hash_distance,
        "keypoint_inliers": comparison.keypoint_inliers,
        "asset_coverage": comparison.asset_coverage,
        "candidate_coverage": comparison.candidate_coverage,
        "aligned_similarity": comparison.aligned_similarity,
        "embedding_similarity": comparison.embedding_similarity,
        "region_embedding_similarity": comparison.region_embedding_similarity,
        "scale": transform.scale if transform else None,
        "mirrored": None if transform is None else ("yes" if transform.mirrored else "no"),
        "licence": use.standing.value,
        "collection": use.asset.collection,
        "asset_tag": use.asset.tags,
        "host": use.host,
        "place": use.place,
        "source": use.source,
    }


NUMBERS = (
    "probability",
    "hash_distance",
    "keypoint_inliers",
    "asset_coverage",
    "candidate_coverage",
    "aligned_similarity",
    "embedding_similarity",
    "region_embedding_similarity",
    "scale",
)
WORDS = ("mirrored", "licence", "collection", "asset_tag", "host", "place", "source")
CLOSED_WORDS = {
    "mirrored": ("yes", "no"),
    "licence": tuple(standing.value for standing in Standing),
    "place": ("own", "elsewhere"),
}
"""Facts that can take only these words; another word in a rule is a mistake."""
