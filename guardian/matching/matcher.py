"""The two stages in order: prefilter (three routes, one union), then verify what it brought.

Opened once in each worker process; measures, and judges nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.matching import confidence, hashing, kernels, keypoints, prefilter, vector_route
from guardian.matching.alignment import Pyramid
from guardian.matching.describing import describe
from guardian.matching.embedding import Embedder
from guardian.matching.fingerprint import Fingerprint, fingerprint
from guardian.matching.image import Picture, decode
from guardian.matching.index import Index, IndexedAsset, open_index
from guardian.matching.keypoints import Keypoints
from guardian.matching.measuring import CandidateViews, Measurement, measure
from guardian.matching.prefilter import Hits
from guardian.matching.profiles import profile_of
from guardian.matching.recipe import index_recipe, report_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.sharing import ExclusiveEvidence, is_strong, own_evidence
from guardian.matching.vector_route import Part, tiles
from guardian.matching.windows import PixelBox, windows
from guardian.model import Comparison, Match, MatchReport, Transform

MIN_PROBABILITY = 1e-4
"""Less probable pairs were compared and are nothing; they are not reported."""

MAX_MATCHES = 20
_REGIONS_EMBEDDED = 3


@dataclass(frozen=True, slots=True)
class Compared:
    """A candidate measured against one asset. `hash_distance` is of the candidate's most similar window."""

    asset: IndexedAsset
    measurement: Measurement
    own: ExclusiveEvidence
    hash_distance: int
    embedding_similarity: float | None

    @property
    def features(self) -> NDArray[np.float64]:
        """What the confidence is fitted on."""
        return confidence.features_of(self.measurement, self.hash_distance, self.own)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A candidate made ready: keypoints of both sides, windows with their hashes, a grey pyramid; in its pixels."""

    picture: Picture
    sides: tuple[Keypoints, Keypoints]
    windows: list[tuple[PixelBox, NDArray[np.uint8]]]
    pyramid: Pyramid


class Matcher:
    """Fingerprints assets and matches candidates against one index folder; follows its generations.

    `embedder` is None without weights; similarities are then not measured.
    """

    def __init__(self, settings: MatchingSettings, embedder: Embedder | None, index_folder: Path) -> None:
        digest = embedder.digest if embedder else None
        self.recipe = index_recipe(settings, digest)
        self._report_recipe = report_recipe(settings, digest)
        self._settings, self._embedder = settings, embedder
        self._folder = index_folder / self.recipe
        self._index = Index(None, ())
        self._profile = profile_of(settings)

    def warm(self) -> None:
        """Load the compiled kernels and open the index, so that no image is charged for that. Raises IndexNotReady."""
        self.load_kernels()
        self.refresh()

    def load_kernels(self) -> None:
        """Load the compiled kernels; compiling them, once on each machine, takes many seconds."""
        kernels.load()

    def fingerprint(self, content: bytes) -> Fingerprint:
        """Decode an asset and compute what the index keeps. Raises Unmatchable."""
        picture = decode(content, self._settings)
        vector = self._embedder.encode([picture.rgb])[0] if self._embedder else None
        return fingerprint(picture, self.recipe, self._profile, vector)

    def match(self, content: bytes, newer_than: int = 0) -> MatchReport:
        """Compare a candidate with the assets whose number is above `newer_than`.

        Raises Unmatchable for what cannot be compared, IndexNotReady for an unusable index.
        """
        picture = decode(content, self._settings)
        self.refresh()
        return MatchReport(
            recipe=self._report_recipe,
            matches=self._matches(picture, newer_than) if self._index.segments else (),
            up_to_number=self._index.latest_number,
            assets_searched=self._index.assets,
            width=picture.width,
            height=picture.height,
        )

    def refresh(self) -> None:
        """Follow the index to its current generation. Raises IndexNotReady."""
        self._index = open_index(self._folder, self.recipe, self._index)

    def compared(self, picture: Picture, newer_than: int = 0) -> list["Compared"]:
        """Both stages: every asset above `newer_than` that some route brought, measured. No probability yet."""
        seen = self._seen(picture)
        found = self._compared(seen, newer_than)
        if newer_than and any(is_strong(pair.measurement) for pair in found):
            # What a newer asset shares with older ones is not its own, so these must be looked at too.
            found = [pair for pair in self._compared(seen, 0) if pair.asset.number > newer_than]
        return found

    def _seen(self, picture: Picture) -> "_Seen":
        """What is computed from a candidate before anything is searched."""
        grey = picture.grey
        across, down = picture.width / grey.shape[1], picture.height / grey.shape[0]
        upright, mirrored = keypoints.detect_both_sides(grey, self._profile.candidate_scales)
        sides = (keypoints.zoomed(upright, across, down), keypoints.zoomed(mirrored, across, down))
        hashed = [
            ((box[0] * across, box[1] * down, box[2] * across, box[3] * down), _window_hashes(grey, box))
            for box in windows(grey)[: self._profile.windows + 1]
        ]
        return _Seen(picture, sides, hashed, Pyramid(grey, picture.width, picture.height))

    def _compared(self, seen: "_Seen", newer_than: int) -> list["Compared"]:
        voted = self._profile.voted_assets
        hits = prefilter.search(self._index, seen.sides, seen.windows, seen.picture.width, newer_than, voted)
        parts = self._encoded_parts(seen.picture, hits)
        if parts:
            for place, proposals in vector_route.propose(self._index, parts, seen.sides, newer_than).items():
                hits.proposals.setdefault(place, []).extend(proposals)
        vector = parts[0].vector if parts else None
        views = CandidateViews(seen.sides, seen.pyramid, hits.commonness)
        measured = []
        for (number, row), proposals in hits.proposals.items():
            asset = self._index.segments[number].asset(row)
            measurement = measure(asset, views, proposals)
            if measurement is not None:
                measured.append((asset, measurement, int(hits.hash_distances[number][row])))
        evidence = own_evidence([(asset, measurement) for asset, measurement, _ in measured])
        return [
            Compared(asset, measurement, own, distance, _similarity(vector, asset))
            for (asset, measurement, distance), own in zip(measured, evidence, strict=True)
        ]

    def _matches(self, picture: Picture, newer_than: int) -> tuple[Match, ...]:
        rated = [(confidence.fitted().probability(pair.features), pair) for pair in self.compared(picture, newer_than)]
        ranked = sorted(rated, key=lambda rating: -rating[0])
        kept = [(probability, pair) for probability, pair in ranked if probability >= MIN_PROBABILITY][:MAX_MATCHES]
        return tuple(
            self._match(picture, pair, probability, with_region=rank < _REGIONS_EMBEDDED)
            for rank, (probability, pair) in enumerate(kept)
        )

    def _encoded_parts(self, picture: Picture, hits: Hits) -> list[Part]:
        """The whole candidate's vector; its tiles' too, when nothing so far found it clearly. Empty without weights."""
        if self._embedder is None:
            return []
        boxes = tiles(picture.width, picture.height)[: 1 if hits.is_clear or not self._profile.tiles else None]
        vectors = self._embedder.encode([_cut(picture, box) for box in boxes])
        return [Part(box, vector) for box, vector in zip(boxes, vectors, strict=True)]

    def _match(self, picture: Picture, pair: "Compared", probability: float, *, with_region: bool) -> Match:
        measurement = pair.measurement
        overlap, transform = measurement.shown, _transform(measurement)
        aligned = measurement.aligned_similarity
        comparison = Comparison(
            probability=probability,
            hash_distance=pair.hash_distance,
            keypoint_inliers=measurement.inliers,
            asset_coverage=overlap.asset_coverage,
            candidate_coverage=overlap.candidate_coverage,
            transform=transform,
            aligned_similarity=None if np.isnan(aligned) else aligned,
            embedding_similarity=pair.embedding_similarity,
            region_embedding_similarity=self._region_similarity(picture, pair) if with_region else None,
            description=describe(measurement, transform),
        )
        return Match(pair.asset.id, comparison)

    def _region_similarity(self, picture: Picture, pair: "Compared") -> float | None:
        """Cosine of the descriptors of what both show, in grey, as the index keeps no colour. None without weights."""
        if self._embedder is None:
            return None
        shown = _overlap_in_both(picture, pair.asset, pair.measurement)
        mine, theirs = self._embedder.encode([np.repeat(grey[:, :, None], 3, axis=2) for grey in shown])
        return float(mine @ theirs)


def _cut(picture: Picture, box: PixelBox) -> NDArray[np.uint8]:
    """uint8 [h, w, 3]: what lies in a box of the full picture; at least one pixel of the thinnest strip."""
    height, width = picture.rgb.shape[:2]
    left, right = (round(side * width / picture.width) for side in (box[0], box[2]))
    top, bottom = (round(side * height / picture.height) for side in (box[1], box[3]))
    left, top = min(left, width - 1), min(top, height - 1)
    return picture.rgb[top : max(bottom, top + 1), left : max(right, left + 1)]


def _similarity(vector: NDArray[np.float32] | None, asset: IndexedAsset) -> float | None:
    return None if vector is None or asset.embedding is None else float(vector @ asset.embedding)


def _overlap_in_both(
    picture: Picture, asset: IndexedAsset, measurement: Measurement
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """uint8 grey pictures of one size: the overlap as the asset shows it, and as the candidate does."""
    left, top, right, bottom = measurement.shown.pixels
    step = max(right - left, bottom - top) / 256
    size = (max(1, round((right - left) / step)), max(1, round((bottom - top) / step)))
    to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
    to_candidate = measurement.projection @ to_asset
    candidate = Pyramid(picture.grey, picture.width, picture.height)
    mine, theirs = asset.preview.sample(to_asset, size)[0], candidate.sample(to_candidate, size)[0]
    return mine.astype(np.uint8), theirs.astype(np.uint8)


def _window_hashes(grey: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    left, top, right, bottom = (round(side) for side in box)
    return hashing.hash_orientations(grey[top:bottom, left:right])


def _transform(measurement: Measurement) -> Transform:
    a, b, _, c, d, _ = (float(value) for value in measurement.matrix)
    if measurement.mirrored:
        a, b = -a, -b
    # Image rows grow downwards, so a positive turn in pixel coordinates is clockwise as seen.
    angle = -float(np.degrees(np.arctan2(c - b, a + d)))
    return Transform(
        matrix=tuple(float(value) for value in measurement.matrix),  # type: ignore[arg-type]
        mirrored=measurement.mirrored,
        angle_degrees=angle,
        scale=measurement.scale,
        asset_box=measurement.shown.asset_box,
        candidate_box=measurement.shown.candidate_box,
    )
