"""The two stages in order: prefilter (three routes, one union), then verify what it brought.

Opened once in each worker process; measures, and judges nothing.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from usearch.compiled import MetricKind
from usearch.index import search as nearest_vectors

from guardian.matching import confidence, hashing, keypoints, prefilter
from guardian.matching.alignment import Pyramid
from guardian.matching.describing import describe
from guardian.matching.embedding import Embedder
from guardian.matching.fingerprint import Fingerprint, fingerprint
from guardian.matching.image import Picture, decode
from guardian.matching.index import Index, IndexedAsset, open_index
from guardian.matching.keypoints import Scale
from guardian.matching.measuring import CandidateViews, Measurement, Proposal, measure
from guardian.matching.prefilter import Hits, Place
from guardian.matching.recipe import index_recipe, report_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.windows import windows
from guardian.model import Comparison, Match, MatchReport, Transform

MIN_PROBABILITY = 1e-4
"""Less probable pairs were compared and are nothing; they are not reported."""

MAX_MATCHES = 20
_NEAREST_VECTORS = 3
_REGIONS_EMBEDDED = 3


class Matcher:
    """Fingerprints assets and matches candidates against one index folder; follows its generations.

    `embedder` is None without weights; similarities are then not measured.
    """

    def __init__(self, settings: MatchingSettings, embedder: Embedder | None, index_folder: Path) -> None:
        digest = embedder.digest if embedder else None
        self.recipe = index_recipe(digest)
        self._report_recipe = report_recipe(settings, digest)
        self._settings, self._embedder = settings, embedder
        self._folder = index_folder / self.recipe
        self._index = Index(None, ())
        is_full = settings.profile == "full"
        self._scales: tuple[Scale, ...] = keypoints.CANDIDATE_SCALES if is_full else keypoints.FAST_CANDIDATE_SCALES
        self._confidence = confidence.fitted()

    def warm(self) -> None:
        """Open the index and load the compiled kernels, so that the first image does not wait for them."""
        self._index = open_index(self._folder, self.recipe, self._index)
        noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
        self._matches(Picture(noise, 96, 96, "noise"), 0)

    def fingerprint(self, content: bytes) -> Fingerprint:
        """Decode an asset and compute what the index keeps. Raises Unmatchable."""
        picture = decode(content, self._settings)
        vector = self._embedder.encode([picture.rgb])[0] if self._embedder else None
        return fingerprint(picture, self.recipe, keypoints.ASSET_SCALES, vector)

    def match(self, content: bytes, newer_than: int = 0) -> MatchReport:
        """Compare a candidate with the assets whose number is above `newer_than`.

        Raises Unmatchable for what cannot be compared, IndexNotReady for an unusable index.
        """
        picture = decode(content, self._settings)
        self._index = open_index(self._folder, self.recipe, self._index)
        return MatchReport(
            recipe=self._report_recipe,
            matches=self._matches(picture, newer_than) if self._index.segments else (),
            up_to_number=self._index.latest_number,
            assets_searched=self._index.assets,
            width=picture.width,
            height=picture.height,
        )

    def _matches(self, picture: Picture, newer_than: int) -> tuple[Match, ...]:
        grey = picture.grey
        zoom = picture.width / grey.shape[1]
        upright, mirrored = keypoints.detect_both_sides(grey, self._scales)
        sides = (keypoints.zoomed(upright, zoom), keypoints.zoomed(mirrored, zoom))
        boxes = windows(grey)
        hashed = [
            ((left * zoom, top * zoom, right * zoom, bottom * zoom), _window_hashes(grey, (left, top, right, bottom)))
            for left, top, right, bottom in boxes
        ]
        hits = prefilter.search(self._index, sides, hashed, picture.width, newer_than)
        vector = self._embedder.encode([picture.rgb])[0] if self._embedder else None
        if vector is not None:
            self._propose_by_vector(vector, picture, newer_than, hits)
        views = CandidateViews(sides, Pyramid(grey, picture.width, picture.height), hits.commonness)
        found = self._verified(hits, views)
        kept = sorted(found, key=lambda pair: -pair[0])[:MAX_MATCHES]
        return tuple(self._match(picture, vector, *pair, rank) for rank, pair in enumerate(kept))

    def _verified(
        self, hits: Hits, views: CandidateViews
    ) -> list[tuple[float, IndexedAsset, Measurement, int]]:
        """Stage two over every asset that stage one brought: probability, asset, measurement, hash distance."""
        found = []
        for place, proposals in hits.proposals.items():
            asset = self._index.segments[place[0]].asset(place[1])
            measurement = measure(asset, views, proposals)
            if measurement is None:
                continue
            distance = int(hits.hash_distances[place[0]][place[1]])
            probability = self._confidence.probability(confidence.facts_of(measurement, distance))
            if probability >= MIN_PROBABILITY:
                found.append((probability, asset, measurement, distance))
        return found

    def _propose_by_vector(
        self, vector: NDArray[np.float32], picture: Picture, newer_than: int, hits: Hits
    ) -> None:
        """The nearest assets by descriptor, laid over the whole candidate upright and mirrored; pixels judge them."""
        whole = (0.0, 0.0, float(picture.width), float(picture.height))
        for number, segment in enumerate(self._index.segments):
            vectors = segment.vectors
            if vectors is None or not len(segment):
                continue
            wanted = min(_NEAREST_VECTORS, len(segment))
            nearest = nearest_vectors(vectors, vector.astype(np.float16), wanted, MetricKind.IP, exact=True)
            for row in (int(key) for key in nearest.keys):
                if not segment.alive[row] or segment.numbers[row] <= newer_than:
                    continue
                width, height = segment.size(row)
                place: Place = (number, row)
                for orientation in (0, 4):
                    matrix = hashing.orientation_transform(orientation, width, height, whole)
                    hits.proposals.setdefault(place, []).append(Proposal(matrix, orientation == 4))

    def _match(
        self,
        picture: Picture,
        vector: NDArray[np.float32] | None,
        probability: float,
        asset: IndexedAsset,
        measurement: Measurement,
        hash_distance: int,
        rank: int,
    ) -> Match:
        overlap, transform = measurement.overlap, _transform(measurement)
        similarity = None if vector is None or asset.embedding is None else float(vector @ asset.embedding)
        region = self._region_similarity(picture, asset, measurement) if rank < _REGIONS_EMBEDDED else None
        comparison = Comparison(
            probability=probability,
            hash_distance=hash_distance,
            keypoint_inliers=measurement.inliers,
            asset_coverage=overlap.asset_coverage,
            candidate_coverage=overlap.candidate_coverage,
            transform=transform,
            aligned_similarity=None if np.isnan(measurement.alignment.mean) else measurement.alignment.mean,
            embedding_similarity=similarity,
            region_embedding_similarity=region,
            description=describe(measurement, transform),
        )
        return Match(asset.id, comparison)

    def _region_similarity(self, picture: Picture, asset: IndexedAsset, measurement: Measurement) -> float | None:
        """Cosine of the descriptors of what both show, in grey, as the index keeps no colour. None without weights."""
        if self._embedder is None:
            return None
        pair = measurement_views(picture, asset, measurement)
        mine, theirs = self._embedder.encode([np.repeat(grey[:, :, None], 3, axis=2) for grey in pair])
        return float(mine @ theirs)


def measurement_views(
    picture: Picture, asset: IndexedAsset, measurement: Measurement
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """uint8 grey pictures of one size: the overlap as the asset shows it, and as the candidate does."""
    left, top, right, bottom = measurement.overlap.pixels
    step = max(right - left, bottom - top) / 256
    size = (max(1, round((right - left) / step)), max(1, round((bottom - top) / step)))
    to_asset = np.array([[step, 0.0, left], [0.0, step, top], [0.0, 0.0, 1.0]])
    to_candidate = np.vstack([measurement.matrix.reshape(2, 3), [0.0, 0.0, 1.0]]) @ to_asset
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
        asset_box=measurement.overlap.asset_box,
        candidate_box=measurement.overlap.candidate_box,
    )
