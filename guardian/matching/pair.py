"""Two files measured on each other: every number of a comparison, and what of it the rest of the catalogue decides.

The search measures a candidate on whatever its routes bring; here the asset is known, and is the only one. All that is
measured follows from the two files, the profile and the start that is handed in, so that others can measure it again.
Runs inside worker processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from guardian.errors import NotAnImage
from guardian.matching import combine
from guardian.matching.candidate import Candidate, candidate_of
from guardian.matching.combine import ComparedPair, RankedPair
from guardian.matching.features.image import Picture
from guardian.matching.features.keypoints import side_of
from guardian.matching.geometry import Proposal
from guardian.matching.index import prefilter
from guardian.matching.index.layout import arrays_of
from guardian.matching.index.reader import Index, IndexSegment
from guardian.matching.index.segments import Segment
from guardian.matching.matcher import Matcher
from guardian.matching.shard import MeasuredPair, ShardAnswer
from guardian.matching.verify.cells import CELL
from guardian.matching.verify.confidence import FEATURES
from guardian.matching.verify.measuring import Measurement, measure
from guardian.matching.verify.sharing import is_strong
from guardian.model import Comparison, Transform

DECIDED_BY_CATALOGUE = ("rare", "rare_share", "own_cells", "own_natural")
"""The features of the confidence that depend on what else is protected; all others follow from the two files."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where an earlier comparison saw the asset; None for what it did not say.

    It is tried beside what the search finds by itself. `frame` and `asset_frame`: see Comparison.
    """

    transform: Transform | None = None
    frame: int | None = None
    asset_frame: int | None = None


@dataclass(frozen=True, slots=True)
class CellGrid:
    """The cells of the overlap, row by row, as the asset shows them.

    `box`: left, top, right, bottom in asset pixels; `side`: asset pixels to the side of a cell. `correlation`: -1 to 1;
    None where the asset has no texture, or the found picture shows nothing of it.
    """

    box: tuple[float, float, float, float]
    side: float
    correlation: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class OtherAsset:
    """Another protected asset that agrees with the same picture; what both agree with speaks for neither."""

    asset_id: str
    agreeing_cells: int
    probability: float


@dataclass(frozen=True, slots=True)
class InCatalogue:
    """What the rest of the catalogue decides of a pair: `values` by name of DECIDED_BY_CATALOGUE, and the probability.

    `others`: the assets that agree with the same picture, the most probable first. `assets_searched` and `partial`: see
    MatchReport.
    """

    values: dict[str, float]
    probability: float
    others: tuple[OtherAsset, ...]
    assets_searched: int
    partial: bool


@dataclass(frozen=True, slots=True)
class PairReport:
    """What was measured of two files. Pickles.

    `features`: what the confidence is told, by name, as if the asset were the only one that is protected, and
    `probability` (0-1) what it says of that. `comparison` has the same probability. `projection`: 3x3, row by row, from
    asset pixels to pixels of the found picture. Sizes are width and height of the upright pictures.
    """

    asset_size: tuple[int, int]
    found_size: tuple[int, int]
    comparison: Comparison
    projection: tuple[float, ...]
    cells: CellGrid
    features: dict[str, float]
    catalogue: InCatalogue | None = None

    @property
    def probability(self) -> float:
        """The probability (0-1) as if the asset were the only one that is protected."""
        return self.comparison.probability


@dataclass(frozen=True, slots=True)
class MatchedPoints:
    """Keypoints that were recognised in both pictures: float64 [n, 2] each, pixels of the full upright pictures.

    Row by row they belong together. `frame` and `asset_frame`: see Comparison.
    """

    in_asset: NDArray[np.float64]
    in_found: NDArray[np.float64]
    frame: int | None
    asset_frame: int | None


@dataclass(frozen=True, slots=True)
class _Measured:
    picture: Picture
    candidate: Candidate
    pair: MeasuredPair
    alone: ComparedPair
    probability: float


def measure_pair(matcher: Matcher, original: bytes, found: bytes, start: Start, asset_id: str = "") -> PairReport:
    """Measure two encoded pictures on each other, wherever they agree best.

    With an `asset_id` also what the matcher's catalogue decides, in which that asset is one of the others. Raises
    Unmatchable, also when nothing lays one on the other; IndexNotReady.
    """
    best = _best(matcher, original, found, start)
    comparison = matcher.comparison(best.picture, RankedPair(best.probability, best.alone))
    measurement, asset = best.pair.measurement, best.pair.asset
    return PairReport(
        asset_size=(asset.width, asset.height),
        found_size=(best.picture.width, best.picture.height),
        comparison=comparison,
        projection=tuple(float(value) for value in measurement.projection.ravel()),
        cells=_grid(measurement),
        features=_named(best.alone),
        catalogue=_in_catalogue(matcher, best, asset_id) if asset_id else None,
    )


def matched_points(matcher: Matcher, original: bytes, found: bytes, start: Start) -> MatchedPoints:
    """Return the keypoints that two encoded pictures share, wherever they agree best. Raises as `measure_pair`."""
    best = _best(matcher, original, found, start)
    measurement, candidate = best.pair.measurement, best.candidate
    side = candidate.sides[side_of(mirrored=measurement.mirrored, inverted=measurement.inverted)]
    x, y = (np.asarray(values, dtype=np.float64)[measurement.inlier_points] for values in (side.x, side.y))
    if measurement.mirrored:
        # The keypoints of a mirror image are in its own coordinates.
        x = candidate.width - 1 - x

    in_found = np.stack([x, y], axis=1)
    back = np.c_[in_found, np.ones(len(x))] @ np.linalg.inv(measurement.projection).T
    comparison = matcher.comparison(best.picture, RankedPair(best.probability, best.alone))
    return MatchedPoints(back[:, :2] / back[:, 2:], in_found, comparison.frame, comparison.asset_frame)


def _best(matcher: Matcher, original: bytes, found: bytes, start: Start) -> _Measured:
    """Measure each frame of one file on each of the other; return the most probable pair."""
    index = _index_of(matcher, original)
    pictures = matcher.decoded_all(found)
    meant = [picture for picture in pictures if picture.frame == start.frame] or list(pictures)
    measured = [one for picture in meant for one in _measured(matcher, index, picture, start)]
    if not measured:
        raise NotAnImage("nothing lays one picture on the other")

    # Of equally probable ones the first, as the search reports them.
    return max(measured, key=lambda one: one.probability)


def _index_of(matcher: Matcher, original: bytes) -> Index:
    """Return an index, in memory, that holds one file and nothing else."""
    # No descriptor: it enters no probability, and whoever measures again may not have its weights.
    fingerprint = matcher.fingerprint_without_descriptor(original)
    arrays = arrays_of([(1, "asset", fingerprint)])
    for array in arrays.values():
        # As those of a mapped index are. For others all kernels would be compiled once more, in this picture's time.
        array.flags.writeable = False
    return Index(None, [IndexSegment(Segment("pair", arrays, {}), frozenset())])


def _measured(matcher: Matcher, index: Index, picture: Picture, start: Start) -> list[_Measured]:
    """Measure one frame of the found file against each frame of the asset."""
    candidate = candidate_of(picture, matcher.profile)
    hits = prefilter.search(index, candidate, 0, matcher.profile.voted_assets)
    segment = index.segments[0]

    measured = []
    for row in range(len(segment)):
        asset = segment.asset(row)
        ways = list(hits.proposals.get((0, row), ()))
        if start.transform is not None and asset.frame == start.asset_frame:
            ways.append(_proposal(start.transform))
        measurement = measure(asset, candidate, ways)
        if measurement is None:
            continue
        pair = MeasuredPair(asset.previewed, measurement, int(hits.hash_distances[0][row]), None)
        # No keypoint is common where there is only one asset, and nothing is shared.
        alone = combine.compared([ShardAnswer((pair,), hits.commonness, 1, 1)])[0]
        measured.append(_Measured(picture, candidate, pair, alone, matcher.confidence.probability(alone.features)))
    return measured


def _proposal(transform: Transform) -> Proposal:
    matrix = np.array(transform.matrix, dtype=np.float64)
    return Proposal(matrix, transform.mirrored, inverted=transform.inverted)


def _in_catalogue(matcher: Matcher, best: _Measured, asset_id: str) -> InCatalogue:
    """Ask the catalogue about the same picture; what was measured here takes the place of the asset's own pairs."""
    answers = matcher.answers(best.picture)
    number = next((pair.asset.number for answer in answers for pair in answer.pairs if pair.asset.id == asset_id), 0)
    mine = replace(best.pair, asset=replace(best.pair.asset, id=asset_id, number=number))
    others = [_without(answer, asset_id) for answer in answers]

    if not others:
        return InCatalogue(_decided(best.alone), best.probability, (), 0, partial=False)
    beside = [replace(others[0], pairs=(mine, *others[0].pairs)), *others[1:]]
    compared = combine.compared(beside, newer_than=-1)
    return InCatalogue(
        values=_decided(compared[0]),
        probability=matcher.confidence.probability(compared[0].features),
        others=_agreeing(matcher, compared[1:]),
        assets_searched=sum(answer.assets_searched for answer in answers),
        partial=not all(answer.is_complete for answer in answers),
    )


def _without(answer: ShardAnswer, asset_id: str) -> ShardAnswer:
    return replace(answer, pairs=tuple(pair for pair in answer.pairs if pair.asset.id != asset_id))


def _agreeing(matcher: Matcher, compared: Sequence[ComparedPair]) -> tuple[OtherAsset, ...]:
    """Return the other assets of which enough agrees to take part in sharing, of each the most probable pair."""
    found: dict[str, OtherAsset] = {}
    for one in compared:
        if is_strong(one.measurement):
            cells = int(one.measurement.alignment.cells.agreeing.sum())
            other = OtherAsset(one.asset.id, cells, matcher.confidence.probability(one.features))
            if one.asset.id not in found or found[one.asset.id].probability < other.probability:
                found[one.asset.id] = other
    return tuple(sorted(found.values(), key=lambda other: (-other.probability, other.asset_id)))


def _named(compared: ComparedPair) -> dict[str, float]:
    return {name: float(value) for name, value in zip(FEATURES, compared.features, strict=True)}


def _decided(compared: ComparedPair) -> dict[str, float]:
    named = _named(compared)
    return {name: named[name] for name in DECIDED_BY_CATALOGUE}


def _grid(measurement: Measurement) -> CellGrid:
    cells, overlap = measurement.alignment.cells, measurement.overlap
    rows, columns = cells.rich.shape
    correlation = tuple(
        tuple(
            round(float(cells.correlation[row, column]), 4) if cells.rich[row, column] else None
            for column in range(columns)
        )
        for row in range(rows)
    )
    return CellGrid(overlap.pixels, overlap.step * CELL, correlation)
