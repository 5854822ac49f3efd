"""From bytes to measured matches: decode once, search each shard of the index, combine their answers.

Opened once in each worker process; measures, and judges nothing.
"""

from pathlib import Path

import numpy as np

from guardian.matching import combine, kernels
from guardian.matching.candidate import candidate_of
from guardian.matching.combine import ComparedPair, RankedPair
from guardian.matching.features import easy_copies
from guardian.matching.features.embedding import Embedder
from guardian.matching.features.fingerprint import Fingerprint, fingerprint
from guardian.matching.features.image import Picture, decode, is_animation
from guardian.matching.features.phash import phash
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.index.vector_route import PartEncoder
from guardian.matching.profiles import profile_of, quick_search
from guardian.matching.recipe import FITTED, index_recipe, report_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.shard import MeasuredPair, Shard, ShardAnswer
from guardian.matching.verify.alignment import sampled_alike
from guardian.matching.verify.confidence import fitted
from guardian.matching.verify.describing import describe, transform_of
from guardian.matching.verify.whole import compare_whole
from guardian.model import Comparison, Match, MatchReport

_REGIONS_EMBEDDED = 3
"""Of so many best matches the descriptors of the regions are compared too; for people, no probability uses it."""


class Matcher:
    """Fingerprints assets and matches candidates against index folders; follows their generations.

    Each folder is a shard: it is searched by itself. `embedder` is None without weights; similarities are then not
    measured. `confidence`: the file of the fitted confidence.
    """

    def __init__(
        self, settings: MatchingSettings, embedder: Embedder | None, *index_folders: Path, confidence: Path = FITTED
    ) -> None:
        digest = embedder.digest if embedder else None
        self.recipe = index_recipe(settings, digest)
        self._report_recipe = report_recipe(settings, digest, confidence)
        self._fitted = fitted(confidence)
        self._settings, self._embedder = settings, embedder
        self._profile = profile_of(settings)
        self._shards = [Shard(folder / self.recipe, self.recipe, self._profile) for folder in index_folders]

    def warm(self) -> None:
        """Load the compiled kernels and open the index, so that no image is charged for that. Raises IndexNotReady."""
        self.load_kernels()
        self.refresh()

    def load_kernels(self) -> None:
        """Load the compiled kernels; compiling them, once on each machine, takes many seconds."""
        kernels.load()

    def refresh(self) -> None:
        """Follow every shard to its current generation. Raises IndexNotReady."""
        for shard in self._shards:
            shard.refresh()

    def fingerprint(self, content: bytes) -> Fingerprint:
        """Decode an asset and compute what the index keeps, and its published hash. Raises Unmatchable."""
        return self._fingerprint(decode(content, self._settings))

    def fingerprint_with_copy(self, content: bytes) -> tuple[Fingerprint, bytes]:
        """Return the fingerprint of an asset and an easy copy of it, encoded. Raises Unmatchable."""
        picture = decode(content, self._settings)
        return self._fingerprint(picture), easy_copies.quick_copy(picture)

    def easy_copies(self, content: bytes) -> tuple[bytes, bytes]:
        """Return an asset's picture at half its size and recompressed, encoded. Raises Unmatchable."""
        picture = decode(content, self._settings)
        return easy_copies.half_size(picture), easy_copies.recompressed(picture)

    def _fingerprint(self, picture: Picture) -> Fingerprint:
        vector = self._embedder.encode([picture.rgb])[0] if self._embedder else None
        return fingerprint(picture, self.recipe, self._profile, vector)

    def is_same_picture(self, content: bytes, other: bytes) -> bool:
        """Return whether two files show the same whole picture, as versions of one work do. Raises Unmatchable.

        An animation shows several pictures, so it is the same as no other file.
        """
        if is_animation(content) or is_animation(other):
            return False
        compared = compare_whole(decode(content, self._settings), decode(other, self._settings))
        return compared is not None and compared.is_same

    def match(self, content: bytes, newer_than: int = 0, *, quick: bool = False) -> MatchReport:
        """Compare a candidate with the assets whose number is above `newer_than`.

        `quick`: with the least effort that finds easy copies, without a descriptor. Raises Unmatchable for what cannot
        be compared, IndexNotReady for an unusable index.
        """
        picture = decode(content, self._settings)
        self.refresh()
        answers = self._quick_answers(picture) if quick else self._answers(picture, newer_than)
        return self._report(picture, answers, newer_than, with_regions=not quick)[0]

    def match_measured(self, picture: Picture) -> tuple[MatchReport, tuple[ComparedPair, ...]]:
        """Compare a decoded candidate as `match` does; return the report, and every pair that was measured for it.

        Searches the generation that `refresh` opened.
        """
        return self._report(picture, self._answers(picture, newer_than=0), newer_than=0, with_regions=True)

    def _report(
        self, picture: Picture, answers: list[ShardAnswer], newer_than: int, *, with_regions: bool
    ) -> tuple[MatchReport, tuple[ComparedPair, ...]]:
        combined = combine.combine(answers, newer_than, fitted=self._fitted)
        report = MatchReport(
            recipe=self._report_recipe,
            matches=tuple(
                self._match(picture, ranked, with_region=with_regions and rank < _REGIONS_EMBEDDED)
                for rank, ranked in enumerate(combined.ranking)
            ),
            up_to_number=combined.up_to_number,
            assets_searched=combined.assets_searched,
            width=picture.width,
            height=picture.height,
            partial=combined.partial,
            perceptual_hash=phash(picture.grey),
        )
        return report, combined.compared

    def compared(self, picture: Picture, newer_than: int = 0) -> list[ComparedPair]:
        """Measure every asset above `newer_than` that some route brings. No probability yet.

        Searches the generation that `refresh` opened.
        """
        return combine.compared(self._answers(picture, newer_than), newer_than)

    def _answers(self, picture: Picture, newer_than: int) -> list[ShardAnswer]:
        """Ask every shard; for older assets too where the newer ones may share evidence with them."""
        shards = [shard for shard in self._shards if not shard.is_empty]
        if not shards:
            return []

        candidate = candidate_of(picture, self._profile)
        encoder = PartEncoder(picture, self._embedder) if self._embedder else None
        answers = [shard.search(candidate, encoder, newer_than) for shard in shards]
        if combine.needs_older_assets(answers, newer_than):
            answers = [shard.search(candidate, encoder, newer_than=0) for shard in shards]
        return answers

    def _quick_answers(self, picture: Picture) -> list[ShardAnswer]:
        """Ask every shard about a candidate with few features."""
        candidate = candidate_of(picture, quick_search(self._profile))
        return [shard.search(candidate, None, newer_than=0) for shard in self._shards if not shard.is_empty]

    def _match(self, picture: Picture, ranked: RankedPair, *, with_region: bool) -> Match:
        pair = ranked.compared.pair
        measurement, shown = pair.measurement, pair.measurement.shown
        transform = transform_of(measurement)
        aligned = measurement.aligned_similarity

        comparison = Comparison(
            probability=ranked.probability,
            hash_distance=pair.hash_distance,
            keypoint_inliers=measurement.inliers,
            asset_coverage=shown.asset_coverage,
            candidate_coverage=shown.candidate_coverage,
            transform=transform,
            aligned_similarity=None if np.isnan(aligned) else aligned,
            embedding_similarity=pair.embedding_similarity,
            region_embedding_similarity=self._region_similarity(picture, pair) if with_region else None,
            description=describe(measurement, transform),
        )
        return Match(pair.asset.id, comparison)

    def _region_similarity(self, picture: Picture, pair: MeasuredPair) -> float | None:
        """Return the cosine of the descriptors of what both show, None without weights.

        In grey, as the index keeps no colour.
        """
        if self._embedder is None:
            return None
        candidate = Pyramid(picture.grey, picture.width, picture.height)
        measurement = pair.measurement
        greys = sampled_alike(measurement.shown, measurement.projection, pair.asset.preview, candidate)
        mine, theirs = self._embedder.encode([np.repeat(grey[:, :, None], 3, axis=2) for grey in greys])
        return float(mine @ theirs)
