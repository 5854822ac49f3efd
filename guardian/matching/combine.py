"""What the answers of all shards say together: whose evidence is shared, how probable each copy is, which come first.

Works on what the answers hold, wherever they were made; measures nothing anew but assets of different shards on each
other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.keypoints import side_of
from guardian.matching.index.reader import PreviewedAsset
from guardian.matching.shard import MeasuredPair, ShardAnswer
from guardian.matching.verify import confidence
from guardian.matching.verify.confidence import Confidence
from guardian.matching.verify.measuring import Measurement
from guardian.matching.verify.sharing import ExclusiveEvidence, exclusive_evidence, is_strong

MIN_PROBABILITY = 1e-4
"""Less probable pairs were compared and are nothing; they are not reported."""

MAX_MATCHES = 20

COMMON_FROM = 3
"""A candidate keypoint that votes for this many assets or more is common: lettering, icons, frames."""


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """A measured pair beside all the others of its candidate.

    `rare`: inliers whose keypoint is not common in the whole catalogue. `exclusive`: what of the agreement is this
    asset's alone.
    """

    pair: MeasuredPair
    rare: int
    exclusive: ExclusiveEvidence

    @property
    def measurement(self) -> Measurement:
        """What was measured under the best transform."""
        return self.pair.measurement

    @property
    def asset(self) -> PreviewedAsset:
        """The asset that the candidate was measured against."""
        return self.pair.asset

    @property
    def features(self) -> NDArray[np.float64]:
        """What the confidence is fitted on."""
        return confidence.features_of(self.measurement, self.pair.hash_distance, self.rare, self.exclusive)


@dataclass(frozen=True, slots=True)
class RankedPair:
    """A pair and the calibrated probability (0-1) that it is a copy."""

    probability: float
    compared: ComparedPair


@dataclass(frozen=True, slots=True)
class CombinedAnswer:
    """The whole catalogue's answer for one candidate, most probable first.

    `up_to_number`, `assets_searched` and `partial`: see MatchReport. `compared`: every pair that was measured, probable
    or not.
    """

    ranking: tuple[RankedPair, ...]
    up_to_number: int
    assets_searched: int
    partial: bool
    compared: tuple[ComparedPair, ...] = ()


def needs_older_assets(answers: Sequence[ShardAnswer], newer_than: int) -> bool:
    """Return whether shards that were asked for newer assets alone must be asked for all.

    What a newer asset shares with older ones is not its own, so where one agrees the older ones must be looked at.
    """
    return newer_than > 0 and any(is_strong(pair.measurement) for answer in answers for pair in answer.pairs)


def with_pairs_of(whole: ShardAnswer, newer: ShardAnswer) -> ShardAnswer:
    """Return a shard's answer for all assets together with the pairs that it only measured for the newer ones."""
    there = {(pair.asset.number, pair.asset.frame) for pair in whole.pairs}
    missing = tuple(pair for pair in newer.pairs if (pair.asset.number, pair.asset.frame) not in there)
    return replace(whole, pairs=whole.pairs + missing)


def combine(
    answers: Sequence[ShardAnswer], newer_than: int = 0, missing_shards: int = 0, fitted: Confidence | None = None
) -> CombinedAnswer:
    """Combine the answers of the shards that gave one; `missing_shards` gave none. `fitted`: the shipped one if None.

    Only assets above `newer_than` are reported. Of older ones the answers may hold pairs: they take part in sharing.
    """
    partial = missing_shards > 0 or not all(answer.is_complete for answer in answers)
    pairs = compared(answers, newer_than)
    return CombinedAnswer(
        ranking=ranking(pairs, fitted or confidence.fitted()),
        up_to_number=newer_than if partial else _up_to_number(answers, newer_than),
        assets_searched=sum(answer.assets_searched for answer in answers),
        partial=partial,
        compared=tuple(pairs),
    )


def compared(answers: Sequence[ShardAnswer], newer_than: int = 0) -> list[ComparedPair]:
    """Return every pair above `newer_than` beside the others of all shards, in the order of the answers."""
    pairs = [pair for answer in answers for pair in answer.pairs]
    commonness = _commonness(answers)
    evidence = exclusive_evidence([(pair.asset, pair.measurement) for pair in pairs])
    return [
        ComparedPair(pair, _rare(pair.measurement, commonness), exclusive)
        for pair, exclusive in zip(pairs, evidence, strict=True)
        if pair.asset.number > newer_than
    ]


def ranking(pairs: Sequence[ComparedPair], fitted: Confidence) -> tuple[RankedPair, ...]:
    """Return the pairs worth reporting, of each asset the best one, most probable first, at most MAX_MATCHES."""
    rated = [RankedPair(fitted.probability(pair.features), pair) for pair in pairs]
    worth = sorted((one for one in rated if one.probability >= MIN_PROBABILITY), key=lambda one: -one.probability)

    # An animation is several pairs, one for each frame.
    best: dict[int, RankedPair] = {}
    for one in worth:
        best.setdefault(one.compared.asset.number, one)
    return tuple(best.values())[:MAX_MATCHES]


def _up_to_number(answers: Sequence[ShardAnswer], newer_than: int) -> int:
    """Return the newest number up to which every shard has answered for all assets that it holds.

    A shard that has not yet followed the index to the newest assets bounds the others: what it did not search must
    be searched when the candidate is seen again. Never below `newer_than`, of which an earlier answer speaks.
    """
    return max(newer_than, min((answer.up_to_number for answer in answers), default=0))


def _commonness(answers: Sequence[ShardAnswer]) -> list[NDArray[np.int32]]:
    """Count for each keypoint of each side for how many assets of the catalogue it votes: int32 [keypoints]."""
    by_side = zip(*(answer.commonness for answer in answers), strict=True)
    return [np.asarray(sum(counts), np.int32) for counts in by_side]


def _rare(measurement: Measurement, commonness: Sequence[NDArray[np.int32]]) -> int:
    side = side_of(mirrored=measurement.mirrored, inverted=measurement.inverted)
    return int((commonness[side][measurement.inlier_points] < COMMON_FROM).sum())
