"""From bytes to measured matches: decode once, search each shard of the index, combine their answers.

Opened once in each worker process; measures, and judges nothing.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from guardian.matching import combine, kernels
from guardian.matching.candidate import candidate_of
from guardian.matching.combine import CombinedAnswer, ComparedPair, RankedPair
from guardian.matching.features import easy_copies
from guardian.matching.features.embedding import Embedder, TextEmbedder
from guardian.matching.features.fingerprint import Fingerprint, fingerprint
from guardian.matching.features.image import Decoded, Picture, decode, decode_all
from guardian.matching.features.phash import phash
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.features.small import SmallFingerprint, small_fingerprint
from guardian.matching.index.vector_route import PartEncoder
from guardian.matching.profiles import Profile, profile_of, quick_search
from guardian.matching.recipe import FITTED, index_recipe, report_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.shard import MeasuredPair, Shard, ShardAnswer
from guardian.matching.verify.alignment import sampled_alike
from guardian.matching.verify.confidence import Confidence, fitted
from guardian.matching.verify.describing import describe, transform_of
from guardian.matching.verify.whole import compare_whole
from guardian.model import Comparison, Match, MatchReport, NotCompared, NotComparedReason

_REGIONS_EMBEDDED = 3
"""Of so many best matches the descriptors of the regions are compared too; for people, no probability uses it."""


COMPARING_SHARE = 0.35
"""Of `matching.timeout`: CPU time after which no more frames of a file are compared."""


@dataclass(frozen=True, slots=True)
class _Searched:
    """One picture of a file, and the whole catalogue's answer for it. `encoder` has its descriptors; None without."""

    picture: Picture
    combined: CombinedAnswer
    encoder: PartEncoder | None = None


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
        self._confidence = confidence
        self._settings, self._embedder = settings, embedder
        self._profile = profile_of(settings)
        self._shards = [Shard(folder / self.recipe, self.recipe, self._profile) for folder in index_folders]

    def asset_vectors(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Yield numbers, int64 [n], and unit vectors, float16 [n, d], of the assets that answer and have vectors."""
        for shard in self._shards:
            yield from shard.asset_vectors()

    @property
    def text_embedder(self) -> TextEmbedder | None:
        """The descriptor, when it has vectors of texts, too; else None."""
        return cast(TextEmbedder, self._embedder) if hasattr(self._embedder, "encode_texts") else None

    def warm(self) -> None:
        """Load the compiled kernels and open the index, so that no image is charged for that. Raises IndexNotReady."""
        self.load_kernels()
        fitted(self._confidence)
        self.refresh()

    def load_kernels(self) -> None:
        """Load the compiled kernels; compiling them, once on each machine, takes many seconds."""
        kernels.load()

    def refresh(self) -> None:
        """Follow every shard to its current generation. Raises IndexNotReady."""
        for shard in self._shards:
            shard.refresh()

    def fingerprint(self, content: bytes) -> Fingerprint:
        """Decode an asset and compute what the index keeps, and its published hash. Raises Unmatchable.

        Of an animation it is the fingerprint of the frame that shows most; it holds those of the other frames.
        """
        return self._fingerprint(decode_all(content, self._settings))

    def fingerprint_with_copy(self, content: bytes) -> tuple[Fingerprint, bytes]:
        """Return the fingerprint of an asset and an easy copy of it, encoded. Raises Unmatchable."""
        decoded = decode_all(content, self._settings)
        return self._fingerprint(decoded), easy_copies.quick_copy(decoded.richest)

    def easy_copies(self, content: bytes) -> tuple[bytes, bytes]:
        """Return an asset's picture at half its size and recompressed, encoded. Raises Unmatchable."""
        picture = decode(content, self._settings)
        return easy_copies.half_size(picture), easy_copies.recompressed(picture)

    def _fingerprint(self, decoded: Decoded) -> Fingerprint:
        best = decoded.richest
        others = tuple(self._fingerprint_of(picture) for picture in decoded.pictures if picture is not best)
        return replace(self._fingerprint_of(best), others=others, not_compared=decoded.not_compared)

    def _fingerprint_of(self, picture: Picture) -> Fingerprint:
        vector = self._embedder.encode([picture.rgb])[0] if self._embedder else None
        return fingerprint(picture, self.recipe, self._profile, vector)

    def decoded(self, content: bytes) -> Picture:
        """Decode what of a file shows most. Raises Unmatchable."""
        return decode(content, self._settings)

    def decoded_all(self, content: bytes) -> tuple[Picture, ...]:
        """Decode all that is compared of a file: several pictures of an animation. Raises Unmatchable."""
        return decode_all(content, self._settings).pictures

    def fingerprint_without_descriptor(self, content: bytes) -> Fingerprint:
        """Compute an asset's fingerprint as without weights, all its frames. Raises Unmatchable."""
        pictures = self.decoded_all(content)
        first, *others = (fingerprint(picture, self.recipe, self._profile, None) for picture in pictures)
        return replace(first, others=tuple(others))

    @property
    def has_descriptor(self) -> bool:
        """Whether there are weights."""
        return self._embedder is not None

    def vectors_of(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the descriptor's unit vectors of pictures, uint8 [h, w, 3]: float32 [n, d]; there must be weights."""
        if self._embedder is None:
            raise ValueError("there is no descriptor")
        return self._embedder.encode(pictures)

    def vector_of(self, picture: Picture) -> NDArray[np.float32] | None:
        """Return the descriptor's vector of a decoded picture; None without weights."""
        return _vector(self._encoder(picture))

    @property
    def confidence(self) -> Confidence:
        """The fitted confidence that its probabilities come from."""
        return fitted(self._confidence)

    @property
    def profile(self) -> Profile:
        """How closely it looks."""
        return self._profile

    def is_same_picture(self, content: bytes, other: bytes) -> bool:
        """Return whether two files show the same whole picture, as versions of one work do. Raises Unmatchable.

        An animation that shows several pictures is the same as no other file.
        """
        one, two = decode_all(content, self._settings), decode_all(other, self._settings)
        if one.shows_several or two.shows_several:
            return False
        compared = compare_whole(one.richest, two.richest)
        return compared is not None and compared.is_same

    def match(self, content: bytes, newer_than: int = 0, *, quick: bool = False) -> MatchReport:
        """Compare a candidate with the assets whose number is above `newer_than`.

        `quick`: with the least effort that finds easy copies, without a descriptor. Raises Unmatchable for what cannot
        be compared, IndexNotReady for an unusable index.
        """
        decoded = decode_all(content, self._settings)
        self.refresh()
        return self._report(decoded, self._search(decoded, newer_than, quick=quick), quick=quick)

    def match_and_describe(self, content: bytes, newer_than: int = 0) -> tuple[MatchReport, SmallFingerprint]:
        """Compare a candidate as `match` does; return the report, and the small fingerprint of what shows most of it.

        Nothing is decoded or encoded twice. Raises what `match` raises.
        """
        decoded = decode_all(content, self._settings)
        self.refresh()
        searched = self._search(decoded, newer_than, quick=False)
        report = self._report(decoded, searched)
        return report, small_fingerprint(searched[0].picture, report.perceptual_hash, _vector(searched[0].encoder))

    def small_fingerprint(self, content: bytes) -> SmallFingerprint:
        """Return the small fingerprint of what shows most of a file. Raises Unmatchable."""
        picture = decode(content, self._settings)
        return small_fingerprint(picture, None, _vector(self._encoder(picture)))

    def match_measured(self, picture: Picture) -> tuple[MatchReport, tuple[ComparedPair, ...]]:
        """Compare a decoded candidate as `match` does; return the report, and every pair that was measured for it.

        Searches the generation that `refresh` opened.
        """
        decoded = Decoded((picture,))
        searched = self._search(decoded, newer_than=0, quick=False)
        return self._report(decoded, searched), searched[0].combined.compared

    def _search(self, decoded: Decoded, newer_than: int, *, quick: bool) -> list[_Searched]:
        """Search for each picture of a file, the richest first, until the time for one file is over."""
        best = decoded.richest
        searched: list[_Searched] = []
        end = math.inf
        for picture in (best, *(other for other in decoded.pictures if other is not best)):
            if time.thread_time() > end:
                break
            encoder = None if quick else self._encoder(picture)
            answers = self._quick_answers(picture) if quick else self._answers(picture, newer_than, encoder)
            combined = combine.combine(answers, newer_than, fitted=fitted(self._confidence))
            searched.append(_Searched(picture, combined, encoder))
            if len(searched) == 1:
                # The first is compared in any case, and may have had kernels to compile.
                end = time.thread_time() + COMPARING_SHARE * self._settings.timeout.total_seconds()
        return searched

    def _report(self, decoded: Decoded, searched: Sequence[_Searched], *, quick: bool = False) -> MatchReport:
        """Return one report on all pictures of a file: of each asset, what was measured where it is most probable.

        `quick`: without what is computed for people and other tools alone.
        """
        found = [(one.picture, ranked) for one in searched for ranked in one.combined.ranking]
        found.sort(key=lambda pair: -pair[1].probability)
        best_by_asset: dict[str, tuple[Picture, RankedPair]] = {}
        for picture, ranked in found:
            best_by_asset.setdefault(ranked.compared.asset.id, (picture, ranked))

        not_compared = decoded.not_compared
        if unsearched := len(decoded.pictures) - len(searched):
            words = f"{unsearched} of {len(decoded.pictures)} frames: comparing them takes too long (matching.timeout)"
            not_compared = (*not_compared, NotCompared(NotComparedReason.FRAMES, words))

        shown = searched[0].picture
        return MatchReport(
            recipe=self._report_recipe,
            matches=tuple(
                self._match(picture, ranked, with_region=not quick and rank < _REGIONS_EMBEDDED)
                for rank, (picture, ranked) in enumerate(list(best_by_asset.values())[: combine.MAX_MATCHES])
            ),
            up_to_number=min(one.combined.up_to_number for one in searched),
            assets_searched=min(one.combined.assets_searched for one in searched),
            width=shown.width,
            height=shown.height,
            partial=any(one.combined.partial for one in searched),
            perceptual_hash=None if quick else phash(shown.grey),
            not_compared=not_compared,
        )

    def compared(self, picture: Picture, newer_than: int = 0) -> list[ComparedPair]:
        """Measure every asset above `newer_than` that some route brings. No probability yet.

        Searches the generation that `refresh` opened.
        """
        return combine.compared(self._answers(picture, newer_than, self._encoder(picture)), newer_than)

    def answers(self, picture: Picture) -> list[ShardAnswer]:
        """Return what every shard says of a decoded candidate; none while nothing was ever published.

        Searches the generation that `refresh` opened.
        """
        return self._answers(picture, 0, self._encoder(picture))

    def comparison(self, picture: Picture, ranked: RankedPair) -> Comparison:
        """Return what is told of a measured pair; the descriptors of the region are not compared."""
        return self._match(picture, ranked, with_region=False).comparison

    def _encoder(self, picture: Picture) -> PartEncoder | None:
        return PartEncoder(picture, self._embedder) if self._embedder else None

    def _answers(self, picture: Picture, newer_than: int, encoder: PartEncoder | None) -> list[ShardAnswer]:
        """Ask every shard; for older assets too where the newer ones may share evidence with them."""
        shards = [shard for shard in self._shards if not shard.is_empty]
        if not shards:
            return []

        candidate = candidate_of(picture, self._profile)
        answers = [shard.search(candidate, encoder, newer_than) for shard in shards]
        if combine.needs_older_assets(answers, newer_than):
            whole = [shard.search(candidate, encoder, newer_than=0) for shard in shards]
            # Among all assets a newer one may not be short-listed that was measured among the newer ones.
            answers = [combine.with_pairs_of(*both) for both in zip(whole, answers, strict=True)]
        return answers

    def _quick_answers(self, picture: Picture) -> list[ShardAnswer]:
        """Ask every shard about a candidate with few features."""
        quick = quick_search(self._profile)
        candidate = candidate_of(picture, quick)
        return [shard.search(candidate, None, 0, quick) for shard in self._shards if not shard.is_empty]

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
            description=describe(measurement, transform) + _frames_in_words(picture, pair.asset.frame),
            frame=picture.frame,
            asset_frame=pair.asset.frame,
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


def _vector(encoder: PartEncoder | None) -> NDArray[np.float32] | None:
    """Return the descriptor's vector of the whole picture; None without weights."""
    return encoder.parts(with_tiles=False)[0].vector if encoder is not None else None


def _frames_in_words(picture: Picture, asset_frame: int | None) -> str:
    """Return what a description says of frames: nothing where both files have only one."""
    kind = "page" if picture.format == "TIFF" else "frame"
    found = f", {kind} {picture.frame} of the file found" if picture.frame is not None else ""
    return found + (f", frame {asset_frame} of the asset" if asset_frame is not None else "")
